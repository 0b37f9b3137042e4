# shellcheck shell=bash
# Sets up a machine to build Vigil; sourced by deploy/quickstart.sh and
# tests/run.sh, which call:
#
#   vigil_setup                installs what is missing, or says what to
#                              install and exits with status 1. Repeatable at
#                              will; takes no time when nothing is missing.
#   vigil_bazel COMMAND ARG... runs Bazel in the repository, with a disk cache
#                              below $XDG_CACHE_HOME (default ~/.cache). Its
#                              server leaves by itself after some minutes.
#   vigil_say TEXT             writes a line to stderr.

# Everything comes from the distribution; Bazel downloads nothing.
# bazel-bootstrap brings the JDK that it needs.
VIGIL_PACKAGES=(
  bazel-bootstrap bazel-platforms bazel-rules-java bazel-rules-proto
  bazel-skylib curl espeak-ng g++ libabsl-dev libboost-dev libgmock-dev
  libgrpc++-dev libgrpc-dev libgtest-dev libprotobuf-dev libprotoc-dev
  libre2-dev libseccomp-dev libsqlite3-dev libssl-dev
  protobuf-compiler protobuf-compiler-grpc
  iproute2 iptables python3 python3-grpcio python3-protobuf sox sqlite3
  util-linux
)

# What one compiler may take: gRPC's headers need up to 0.7 GiB.
VIGIL_KIB_PER_JOB=$((1024 * 1024))

vigil_say() {
  printf '%s\n' "$*" >&2
}

vigil_is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Prints the package with the test suite of the system's Python.
vigil_python_testsuite() {
  local version
  version=$(dpkg-query -W -f '${Version}' python3 2>/dev/null) ||
    version=$(LC_ALL=C apt-cache policy python3 2>/dev/null |
      sed -n 's/^ *Candidate: *//p')
  if [[ $version =~ ^[0-9]+\.[0-9]+ ]]; then
    echo "libpython${BASH_REMATCH[0]}-testsuite"
  fi
}

vigil_missing_packages() {
  local package testsuite
  testsuite=$(vigil_python_testsuite)
  for package in "${VIGIL_PACKAGES[@]}" ${testsuite:+"$testsuite"}; do
    vigil_is_installed "$package" || echo "$package"
  done
}

vigil_apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
    --no-install-recommends "$@" >&2
}

vigil_install() {
  # Without lists apt knows no package, not even which Python there is.
  if ! apt-cache show "$@" >/dev/null 2>&1 || [[ -z $(vigil_python_testsuite) ]]
  then
    apt-get update -q >&2
    mapfile -t missing < <(vigil_missing_packages)
    set -- "${missing[@]}"
  fi
  # Lists that are too old name files that are gone.
  vigil_apt_install "$@" || { apt-get update -q >&2 && vigil_apt_install "$@"; }
}

# Bazel and its Java want a home and a user name; containers may have neither.
vigil_environment() {
  local entry
  entry=$(getent passwd "$(id -u)") || entry=
  if [[ -z ${USER:-} ]]; then
    USER=$(id -un 2>/dev/null) || USER=$(id -u)
    export USER
  fi
  if [[ -z ${HOME:-} ]]; then
    HOME=$(cut -d: -f6 <<<"$entry")
  fi
  if ! mkdir -p "${HOME:=/}" 2>/dev/null || [[ ! -w $HOME ]]; then
    HOME=${TMPDIR:-/tmp}/vigil-home-$(id -u)
    [[ -d $HOME ]] || mkdir -m 700 -- "$HOME"
    if [[ ! -O $HOME ]]; then
      vigil_say "$HOME is somebody else's; set HOME to a directory of yours"
      exit 1
    fi
  fi
  export HOME
}

vigil_setup() {
  local family missing
  # shellcheck source=/dev/null
  family=$(source /etc/os-release 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}") ||
    family=
  if [[ " $family " != *" debian "* ]] || ! command -v apt-get >/dev/null; then
    vigil_say "This is not Debian or Ubuntu, so nothing was installed. Vigil" \
      "is built against Debian 12's packages; build it there or in a" \
      "container of it (image debian:12). It needs: ${VIGIL_PACKAGES[*]}" \
      "libpythonX.Y-testsuite"
    exit 1
  fi
  vigil_environment
  mapfile -t missing < <(vigil_missing_packages)
  if ((${#missing[@]} == 0)); then
    return
  fi
  if ((EUID != 0)); then
    vigil_say "Packages are missing. Run this, then start again:"
    vigil_say "  sudo apt-get update && sudo apt-get install -y" \
      "--no-install-recommends ${missing[*]}"
    exit 1
  fi
  vigil_say "Installing ${#missing[@]} packages (one to five minutes):" \
    "${missing[*]}"
  vigil_install "${missing[@]}"
  mapfile -t missing < <(vigil_missing_packages)
  if ((${#missing[@]} > 0)); then
    vigil_say "Still missing after apt-get (see above): ${missing[*]}"
    exit 1
  fi
}

# As many compilers as there are cores, fewer where memory is short.
vigil_parallel_jobs() {
  local cores jobs
  cores=$(nproc)
  jobs=$(awk -v per="$VIGIL_KIB_PER_JOB" \
    '/^MemAvailable:/ { print int($2 / per) }' /proc/meminfo)
  ((jobs < cores)) || jobs=$cores
  ((jobs > 0)) || jobs=1
  echo "$jobs"
}

vigil_bazel() {
  # `~` in .bazelrc is the home of the password file, not $HOME: so the cache
  # is named here.
  bazel "$1" \
    --disk_cache="${XDG_CACHE_HOME:-$HOME/.cache}/vigil-bazel" \
    --jobs="$(vigil_parallel_jobs)" "${@:2}"
}

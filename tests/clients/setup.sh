# shellcheck shell=bash
# Sets up what the tests need beside what Vigil is built of: Go with its gRPC,
# and Node.js with the packages of package-lock.json. Sourced, in the
# repository's root and after deploy/setup.sh, by tests/run.sh, which calls:
#
#   vigil_tests_setup          as vigil_setup, for both. Repeatable at will;
#                              takes no time when nothing is missing.
#   vigil_npm_options          prints the option that Bazel needs to find the
#                              npm packages, if it needs one.

# Of the two versions of golang/protobuf that gRPC takes, what protoc-gen-go
# makes needs the newer.
VIGIL_GO_PACKAGES=(
  golang-github-golang-protobuf-1-5-dev golang-go golang-google-grpc-dev
  golang-google-protobuf-dev
  protoc-gen-go protoc-gen-go-grpc
)

# Debian 12's; @connectrpc/connect-node needs 18.14.
VIGIL_NODE_MAJOR_MIN=18

vigil_npm_cache() {
  echo "${XDG_CACHE_HOME:-$HOME/.cache}/vigil-npm"
}

# Whichever Node.js is on PATH will do, if it is new enough.
vigil_node_packages() {
  local version
  version=$(node --version 2>/dev/null) || version=v0
  version=${version#v}
  if ((${version%%.*} < VIGIL_NODE_MAJOR_MIN)); then
    echo nodejs
  fi
  command -v npm >/dev/null || echo npm
}

# What npm installs lies in the cache, under a name that the lock file gives, so
# that clones share it and another lock file never finds it.
vigil_npm_install() {
  local hash directory scratch
  hash=$(sha256sum <tests/clients/package-lock.json)
  directory=$(vigil_npm_cache)/${hash%% *}
  if [[ ! -d $directory ]]; then
    vigil_say "Installing npm packages in $directory"
    mkdir -p -- "${directory%/*}"
    scratch=$(mktemp -d -- "$directory.XXXXXX")
    cp -- tests/clients/{package.json,package-lock.json,.npmrc} "$scratch"
    if ! (cd -- "$scratch" && npm ci --ignore-scripts --no-audit --no-fund \
      --no-update-notifier >&2); then
      rm -rf -- "$scratch"
      vigil_say "npm could not install the packages of" \
        "tests/clients/package-lock.json (see above)"
      exit 1
    fi
    # Whole or not at all; who comes second keeps what the first one did.
    mv -T -- "$scratch" "$directory" 2>/dev/null || rm -rf -- "$scratch"
  fi
  # Tests have a PATH of their own.
  ln -sfn -- "$(command -v node)" "$directory/node"
}

vigil_tests_setup() {
  VIGIL_PACKAGES+=("${VIGIL_GO_PACKAGES[@]}")
  mapfile -t -O "${#VIGIL_PACKAGES[@]}" VIGIL_PACKAGES < <(vigil_node_packages)
  vigil_setup
  vigil_npm_install
}

# Tests look in the home directory of the password file. Only where the cache is
# elsewhere are they told, so that their results are cached as without.
vigil_npm_options() {
  local home
  home=$(getent passwd "$(id -u)" | cut -d: -f6) || home=
  if [[ $(vigil_npm_cache) != "$home/.cache/vigil-npm" ]]; then
    echo "--test_env=VIGIL_NPM_CACHE=$(vigil_npm_cache)"
  fi
}

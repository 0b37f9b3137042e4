#!/bin/bash
# Fuzzes what takes bytes from others with clang's libFuzzer, under the address
# and undefined-behaviour sanitizers, from the corpus of each target beside this
# file; one target after another. Prints a line for each: how many inputs were
# tried, what they covered, what was found. Exit status 1 on a finding, with the
# path of the input that shows it. Fix it, and add that input to the corpus:
# tests replay it.
#
# usage: tests/fuzz/run.sh [SECONDS [TARGET...]]
#
# SECONDS for each target, default 60; TARGETs are the directories of corpus/,
# default all. With VIGIL_FUZZ_DIR set, that directory keeps what was built and
# the inputs that were found to cover more, and the next run goes on from there.
set -Eeuo pipefail

usage() {
  sed -n 's/^# usage: /usage: /p' "${BASH_SOURCE[0]}" >&2
  exit 64
}

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]{0,6}$ ]] || usage
targets=("${@:2}")
if ((${#targets[@]} == 0)); then
  for corpus in tests/fuzz/corpus/*/; do
    targets+=("$(basename -- "$corpus")")
  done
fi
for target in "${targets[@]}"; do
  [[ -f tests/fuzz/${target}_fuzz.cc ]] || usage
done

# shellcheck source=deploy/setup.sh
source deploy/setup.sh
# Only fuzzing needs these.
VIGIL_PACKAGES+=(clang libclang-rt-dev make pkg-config)
vigil_setup

# Stores are in memory where that is possible: a disk is not what is fuzzed.
stores=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
if [[ -n ${VIGIL_FUZZ_DIR-} ]]; then
  mkdir -p -- "$VIGIL_FUZZ_DIR"
  scratch=$(realpath -- "$VIGIL_FUZZ_DIR")
  trap 'rm -rf -- "$stores"' EXIT
else
  scratch=$(mktemp -d)
  trap 'rm -rf -- "$stores" "$scratch"' EXIT
fi

# Without Bazel, whose toolchain is the other compiler.
vigil_say "Building with $(clang++ --version | sed -n 1p)"
make --no-print-directory -s -j "$(vigil_parallel_jobs)" \
  -f tests/fuzz/fuzz.mk OUT="$scratch" "${targets[@]}"

# What libFuzzer finds stays when it is a finding.
findings=$(mktemp -d "${TMPDIR:-/tmp}/vigil-fuzz-XXXXXX")
failed=0
for target in "${targets[@]}"; do
  mkdir -p -- "$scratch/corpus/$target" "$findings/$target"
  log=$scratch/$target.log
  status=0
  TEST_TMPDIR=$stores "$scratch/$target" -max_total_time="$seconds" \
    -max_len=8192 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$findings/$target/" -dict="tests/fuzz/$target.dict" \
    "$scratch/corpus/$target" "tests/fuzz/corpus/$target" \
    >"$log" 2>&1 </dev/null || status=$?
  # A finding leaves its store.
  find "$stores" -mindepth 1 -delete
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(sed -En \
    's/^#.*cov: ([0-9]+) ft: ([0-9]+).*/\1 edges, \2 features/p' "$log" |
    tail -n 1)
  found="nothing found"
  if ((status != 0)); then
    failed=1
    found="FOUND $(find "$findings/$target" -type f)"
    # The service's own log lines, and libFuzzer's of its progress, aside.
    grep -Ev '^#|protobuf ERROR|^[0-9]{4}-[0-9-]+ [0-9:.]+ [IWE] ' "$log" |
      tail -n 60 >&2 || true
  fi
  echo "$target: ${executions:-?} executions, ${coverage:-nothing} covered," \
    "$found"
done
find "$findings" -type d -empty -delete
exit "$failed"

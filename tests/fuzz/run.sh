#!/bin/bash
# Fuzzes the decoder of frames with clang's libFuzzer, under the address and
# undefined-behaviour sanitizers, from the corpus beside this file. The last
# line says how many inputs were tried and what they covered; exit status 1 on
# a finding, with the path of the input that shows it. Fix it, and add that
# input to the corpus: tests replay it.
#
# usage: tests/fuzz/run.sh [SECONDS]    (default 60)
set -Eeuo pipefail

seconds=${1:-60}
if (($# > 1)) || [[ ! $seconds =~ ^[1-9][0-9]{0,6}$ ]]; then
  sed -n 's/^# usage: /usage: /p' "${BASH_SOURCE[0]}" >&2
  exit 64
fi

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/setup.sh
source deploy/setup.sh
# Only fuzzing needs these.
VIGIL_PACKAGES+=(clang libclang-rt-dev)
vigil_setup

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT

# Without Bazel, whose toolchain is the other compiler. Coverage is that of
# Vigil's own files: the libraries are Debian's.
vigil_say "Building with $(clang++ --version | sed -n 1p)"
sources=(
  tests/fuzz/frame_decoder_fuzz.cc
  worker/frames/frame_check.cc
  worker/frames/frame_codec.cc
  base/utf8.cc
)
protos=(vigil/task/v1/frames vigil/v1/failure)
mkdir "$scratch/gen" "$scratch/corpus"
protoc -Iproto --cpp_out="$scratch/gen" "${protos[@]/%/.proto}"
clang++ -std=c++20 -O1 -g -fno-omit-frame-pointer \
  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
  -I. -I"$scratch/gen" -o "$scratch/fuzz" "${sources[@]}" \
  "$scratch/gen/"vigil/{task/v1/frames,v1/failure}.pb.cc \
  -labsl_{statusor,status,cord,strings,strings_internal,throw_delegate} \
  -labsl_{str_format_internal,raw_logging_internal} -lprotobuf

# What libFuzzer finds stays when it is a finding.
findings=$(mktemp -d "${TMPDIR:-/tmp}/vigil-fuzz-XXXXXX")
vigil_say "Fuzzing for $seconds s"
status=0
"$scratch/fuzz" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
  -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$findings/" \
  -dict=tests/fuzz/frames.dict "$scratch/corpus" tests/fuzz/corpus \
  >"$scratch/log" 2>&1 </dev/null || status=$?

if ((status != 0)); then
  grep -v '^#\|protobuf ERROR' "$scratch/log" >&2 || true
  vigil_say "The input that shows it: $(find "$findings" -type f)"
  exit 1
fi
rmdir -- "$findings"
executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/log")
coverage=$(sed -En \
  '/DONE/s/.*cov: ([0-9]+) ft: ([0-9]+).*/\1 edges, \2 features/p' \
  "$scratch/log")
echo "$executions executions, $coverage covered, nothing found"

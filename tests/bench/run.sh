#!/bin/bash
# Sets this machine up, builds with optimisation, runs the benchmarks and prints
# their table. Takes about two minutes after the build; leave the machine alone
# meanwhile.
#
# usage: tests/bench/run.sh [launch | decision | throughput | queue]...
set -Eeuo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/setup.sh
source deploy/setup.sh

vigil_setup
# With -c opt GCC 12 takes a moved std::variant for uninitialized.
vigil_bazel run -c opt --copt=-Wno-error=maybe-uninitialized \
  //tests/bench:bench -- "$@"

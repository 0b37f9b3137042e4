#!/bin/bash
# Sets this machine up, builds, runs the benchmarks and prints their table.
# Takes about twelve minutes after the build; leave the machine alone meanwhile.
#
# usage: tests/bench/run.sh [launch | decision | kills | throughput | warm |
#                            queue | million | http | restart | lost | tokens |
#                            streams | cli]...
set -Eeuo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/setup.sh
source deploy/setup.sh

vigil_setup
# .bazelrc builds with -O2 in every configuration: what is measured is what the
# tests run.
vigil_bazel run //tests/bench:bench -- "$@"

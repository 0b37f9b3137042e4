#!/bin/bash
# Sets this machine up, builds, and reproduces the incident of the batch
# pipeline that ran out of threads: 20,000 short jobs through `vigil batch`, of
# which one in a hundred meets an injected exhaustion at first and another one
# is malformed. Prints what became of them beside the bounds; the exit status is
# 0 if all are kept. Takes about a minute after the build.
#
# usage: tests/b10/run.sh [--jobs=20000] [--help]
set -Eeuo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/setup.sh
source deploy/setup.sh

vigil_setup
vigil_bazel run //tests/b10:b10 -- "$@"

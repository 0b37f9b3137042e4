#!/bin/bash
# Sets this machine up, builds, and kills tasks, slots and workers by -9 under
# load; prints a summary. The last line says `faults 0`, and the exit status is
# 0, if nothing was left over, lost or run twice at one time. 2,000 cycles take
# about 12 minutes.
#
# usage: tests/chaos/run.sh [--cycles=2000] [--seconds=N] [--seed=S]
set -Eeuo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/setup.sh
source deploy/setup.sh

vigil_setup
vigil_bazel run //tests/chaos:kills -- "$@"

#!/bin/bash
# Sets this machine up, builds, and hurts a cluster under load; prints a
# summary. The last line says `faults 0`, and the exit status is 0, if nothing
# was left over, lost or run twice at one time.
#
# usage: tests/chaos/run.sh [kills] [--cycles=2000] [--seconds=N] [--seed=S]
#        tests/chaos/run.sh partitions [--seconds=60] [--seed=S] [--logs=DIR]
# kills: SIGKILLs tasks, slots and workers on one host; 2,000 cycles take about
# 12 minutes. partitions: a coordinator and three workers in network namespaces
# are killed, stopped, cut off from each other, slowed, and left without disk;
# needs root.
set -Eeuo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
# shellcheck source=deploy/setup.sh
source deploy/setup.sh

harness=kills
if [[ ${1:-} == kills || ${1:-} == partitions ]]; then
  harness=$1
  shift
fi
vigil_setup
vigil_bazel run "//tests/chaos:$harness" -- "$@"

#!/bin/bash
# Keeps files of the source tree that are made of protos.
#
#   references.sh update COMMAND (PAGE FILE)...   copies pages into the source
#                                                 tree; run by `bazel run`
#   references.sh check COMMAND (PAGE FILE)...    fails if a file is not its page
#
# COMMAND is the one that updates them. PAGE is a file, or `run:` and a program
# that prints it; FILE is named from the root.
set -euo pipefail

page() {
  case $1 in
    run:*) "${1#run:}" ;;
    *) cat -- "$1" ;;
  esac
}

mode=$1
command=$2
shift 2
while (($# > 0)); do
  if [[ $mode == update ]]; then
    page "$1" >"$BUILD_WORKSPACE_DIRECTORY/$2"
  elif ! page "$1" | diff -u -- "$2" -; then
    echo "$2 is not what the protos say. Run: $command" >&2
    exit 1
  fi
  shift 2
done

#!/bin/sh
# The task of the clients' checks: task.sh GATES talk GATE, or exit N.
#
# talk writes the numbers 1 to 6, a line each; between 3 and 4 it waits until
# the driver makes the file GATES/GATE.
case $2 in
  talk)
    printf '%s\n' 1 2 3
    until [ -e "$1/$3" ]; do sleep 0.02; done
    printf '%s\n' 4 5 6
    ;;
  exit)
    exit "$3"
    ;;
esac

#!/bin/bash
# Runs a program of this directory with Debian's python3: only that one has
# python3-grpcio.
set -eu
export PYTHONPATH="$PWD/tests/chaos:$PWD/tests/e2e:$PWD/tests/e2e/stubs/python"
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 -W error::ResourceWarning "$@"

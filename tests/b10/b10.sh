#!/bin/bash
# Runs the reproduction with Debian's python3: only that one has python3-grpcio.
set -eu
export PYTHONPATH="$PWD/tests/b10:$PWD/tests/e2e:$PWD/tests/e2e/stubs/python"
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 tests/b10/b10.py "$@"

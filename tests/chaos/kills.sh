#!/bin/bash
# Runs the kill cycles with Debian's python3: only that one has python3-grpcio.
set -eu
export PYTHONPATH="$PWD/tests/chaos:$PWD/tests/e2e:$PWD/tests/e2e/stubs/python"
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 tests/chaos/kills.py "$@"

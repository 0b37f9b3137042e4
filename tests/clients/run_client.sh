#!/bin/bash
# Runs the unittest file of one client with Debian's python3: only that one has
# python3-grpcio.
set -eu
export PYTHONPATH="$PWD/tests/clients:$PWD/tests/e2e"
export PYTHONPATH="$PYTHONPATH:$PWD/tests/e2e/stubs/python"
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 -W error::ResourceWarning -m unittest -v "$@"

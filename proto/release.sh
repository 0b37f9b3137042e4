#!/bin/bash
# Notes the protos as the contract released last: writes released/vigil.binpb, a
# descriptor set, against which //proto:breaking_test holds every later change.
# Run for each release, and committed with it.
#
# What breaks the contract released before is refused: it belongs in a package
# of its own, vigil.v2.
set -Eeuo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=deploy/setup.sh
source deploy/setup.sh
# shellcheck source=tests/clients/setup.sh
source tests/clients/setup.sh

readonly RELEASED=proto/released/vigil.binpb

vigil_tests_setup
buf() {
  /usr/bin/python3 -c 'import os, sys
sys.path.insert(0, "tests/clients")
import npm_packages
command = npm_packages.node("@bufbuild/buf/bin/buf", *sys.argv[1:])
os.execv(command[0], command)' "$@"
}

buf lint proto
if [[ -e $RELEASED ]]; then
  buf breaking proto --against "$RELEASED"
fi
buf build proto --exclude-source-info --as-file-descriptor-set -o "$RELEASED"
vigil_say "$RELEASED is the protos as they are now"

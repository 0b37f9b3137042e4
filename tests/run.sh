#!/bin/bash
# Sets this machine up, then runs every test, and the unit and simulation
# tests (those with the tag "asan") once more under the address and
# undefined-behaviour sanitizers. The last line says `N passed, N failed`; exit
# status 0 if none failed.
#
# usage: tests/run.sh [BAZEL_OPTION | TARGET]...
# Targets replace //...; a program under both configurations counts twice.
set -Eeuo pipefail

readonly BAZEL_NO_TESTS=4 # Bazel's exit status when nothing matched.

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=deploy/setup.sh
source deploy/setup.sh
# shellcheck source=tests/clients/setup.sh
source tests/clients/setup.sh

options=()
targets=()
for argument; do
  if [[ $argument == -* ]]; then
    options+=("$argument")
  else
    targets+=("$argument")
  fi
done
if ((${#targets[@]} == 0)); then
  targets=(//...)
fi

# Counts tests in Bazel's own event files, one for each run. A test that could
# not be built has no summary, and has failed.
count_results() {
  /usr/bin/python3 - "$@" <<'END'
import json
import sys

wanted, passed = set(), set()
for run in sys.argv[1:]:
    with open(run, encoding="utf-8") as events:
        for event in map(json.loads, events):
            for kind, key in event["id"].items():
                test = (run, key.get("label"))
                if kind == "targetConfigured":
                    rule = event.get("configured", {}).get("targetKind", "")
                    if rule.endswith("_test rule"):
                        wanted.add(test)
                elif kind == "targetCompleted" and event.get("aborted", {}).get(
                        "reason") == "SKIPPED":
                    wanted.discard(test)
                elif kind == "testSummary":
                    wanted.add(test)
                    status = event.get("testSummary", {}).get("overallStatus")
                    if status in ("PASSED", "FLAKY"):
                        passed.add(test)
print(len(passed), len(wanted - passed))
END
}

# Runs the tests; sets `status` if any failed.
run_tests() {
  local name=$1 result=0
  shift
  vigil_say "== $name"
  vigil_bazel test --keep_going --build_tests_only --show_progress \
    --show_progress_rate_limit=30 \
    --build_event_json_file="$scratch/$name" \
    "$@" "${options[@]}" -- "${targets[@]}" </dev/null || result=$?
  if ((result != 0 && result != BAZEL_NO_TESTS)); then
    status=1
  fi
}

vigil_tests_setup
mapfile -t -O "${#options[@]}" options < <(vigil_npm_options)
vigil_say "The first time takes up to an hour on two cores; when nothing" \
  "has changed, seconds."
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
status=0
run_tests default
run_tests asan --config=asan --test_tag_filters=asan
read -r passed failed < <(count_results "$scratch"/*)
# Also when Bazel stopped before it came to a test.
if ((status != 0 && failed == 0)); then
  failed=1
fi
echo "$passed passed, $failed failed"
exit $((failed > 0))

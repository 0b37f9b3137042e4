#!/bin/bash
# Fails when one of the queries beside it found a dependency that must not be.
status=0
for query in core_without_wire coordinator_without_worker \
  worker_without_coordinator; do
  if [[ -s tests/deps/$query ]]; then
    echo "$query is broken by:"
    cat "tests/deps/$query"
    status=1
  fi
done
exit $status

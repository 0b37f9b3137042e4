#!/usr/bin/python3
"""Checks that every job of the quick start ended as it should.

Holds the results of `vigil batch -o json` against three things that know
nothing of each other: the modules that do not compile (find_malformed.py), the
files that were written, and the coordinator's own counts (`vigil status -o
json`, and ListJobs by count_jobs.py). Samples of the same modules that were run
apart must have ended the same, and left the same files. Prints the id of one
INVALID_INPUT job, if there is any; otherwise each difference on stderr, and
exits 1.
"""

from __future__ import annotations

import argparse
import collections
import filecmp
import json
import os
import pathlib
import sys
import warnings
from typing import Iterable, NamedTuple

# Differences of one kind that are printed; the rest is counted.
MAX_PRINTED = 10


class Result(NamedTuple):
    item: str
    job_id: str
    state: str
    reason: str


def read_lines(path: str) -> list[str]:
    with open(path, encoding="utf-8", errors="surrogateescape") as lines:
        return [line for line in lines.read().split("\n") if line]


def read_results(path: str) -> list[Result]:
    results = []
    for line in read_lines(path):
        record = json.loads(line)
        results.append(
            Result(record["item"], record["job_id"],
                   record["state"].removeprefix("STATE_"),
                   record.get("reason", "").removeprefix("REASON_")))
    return results


def only_in(these: Iterable[str], those: Iterable[str], what: str) -> list[str]:
    """Returns a line for each of `these` that is not among `those`."""
    extra = sorted(set(these) - set(those))
    lines = [f"{what}: {item}" for item in extra[:MAX_PRINTED]]
    if len(extra) > MAX_PRINTED:
        lines.append(f"{what}: {len(extra) - MAX_PRINTED} more")
    return lines


def compare_with_modules(results: list[Result], modules: list[str],
                         malformed: list[str]) -> list[str]:
    """Every module has one job, which ended as the module deserves."""
    counts = collections.Counter(result.item for result in results)
    invalid = [result.item for result in results
               if (result.state, result.reason) == ("FAILED", "INVALID_INPUT")]
    succeeded = [result.item for result in results
                 if result.state == "SUCCEEDED"]
    return [
        *only_in(modules, counts, "no result"),
        *only_in(counts, modules, "result that nobody asked for"),
        *only_in((item for item, count in counts.items() if count > 1), (),
                 "more than one result"),
        *only_in(malformed, invalid, "malformed, but not INVALID_INPUT"),
        *only_in(invalid, malformed, "INVALID_INPUT, but it compiles"),
        *only_in(set(modules) - set(malformed), succeeded,
                 "compiles, but its job did not succeed"),
    ]


def compare_with_files(results: list[Result], root: str,
                       output_dir: str) -> list[str]:
    """The jobs that succeeded, and no others, left a module behind."""
    expected = {os.path.relpath(result.item, root) for result in results
                if result.state == "SUCCEEDED"}
    found = {os.path.relpath(os.path.join(directory, name), output_dir)
             for directory, _, names in os.walk(output_dir) for name in names}
    wrong = [path for path in expected & found
             if not is_rewritten(os.path.join(root, path),
                                 os.path.join(output_dir, path))]
    return [
        *only_in(expected, found, "succeeded without output"),
        *only_in(found, expected, "output without success"),
        *only_in(wrong, (), "neither the module itself nor Python"),
    ]


def is_rewritten(module: str, output: str) -> bool:
    """Whether `output` is `module` itself, or another that compiles."""
    content = pathlib.Path(output).read_bytes()
    if content == pathlib.Path(module).read_bytes():
        return True
    try:
        compile(content, output, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def compare_with_sample(results: list[Result], sample: list[Result], root: str,
                        output_dir: str, sample_dir: str) -> list[str]:
    """The jobs of a sample did what the others did of the same modules."""
    ends = {result.item: (result.state, result.reason) for result in results}
    differ = [result.item for result in sample
              if (result.state, result.reason) != ends.get(result.item)]
    written = [os.path.relpath(result.item, root) for result in sample
               if result.state == "SUCCEEDED" and result.item not in differ]
    _, unlike, missing = filecmp.cmpfiles(output_dir, sample_dir, written,
                                          shallow=False)
    return [
        *only_in(differ, (), "ended otherwise in the sample"),
        *only_in(unlike + missing, (), "written otherwise in the sample"),
    ]


def compare_with_coordinator(results: list[Result], status_path: str,
                             listed_path: str) -> list[str]:
    """The coordinator counts, and lists, the same jobs in the same states."""
    with open(status_path, encoding="utf-8") as status:
        states = json.load(status).get("states", [])
    counted = {state["state"].removeprefix("STATE_"): int(state["jobs"])
               for state in states if int(state.get("jobs", 0))}
    with open(listed_path, encoding="utf-8") as counts:
        listed = json.load(counts)
    ours = dict(collections.Counter(result.state for result in results))
    return [f"results say {ours}, {source} says {theirs}"
            for source, theirs in (("GetStatus", counted), ("ListJobs", listed))
            if theirs != ours]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--results", required=True,
                        help="from `vigil batch -o json`")
    parser.add_argument("--sample", nargs=2, default=[], action="append",
                        metavar=("RESULTS", "OUTPUT_DIR"),
                        help="those of some modules that were run once more")
    parser.add_argument("--status", required=True,
                        help="from `vigil status -o json`")
    parser.add_argument("--listed", required=True, help="from count_jobs.py")
    parser.add_argument("--modules", required=True, help="one path a line")
    parser.add_argument("--malformed", required=True, help="one path a line")
    parser.add_argument("--root", required=True)
    parser.add_argument("--output_dir", required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    results = read_results(options.results)
    samples = [(read_results(path), output_dir)
               for path, output_dir in options.sample]
    every = [*results, *(result for sample, _ in samples for result in sample)]
    differences = [
        *compare_with_modules(results, read_lines(options.modules),
                              read_lines(options.malformed)),
        *compare_with_files(results, options.root, options.output_dir),
        *(line for sample, sample_dir in samples
          for line in compare_with_sample(results, sample, options.root,
                                          options.output_dir, sample_dir)),
        *compare_with_coordinator(every, options.status, options.listed),
    ]
    if differences:
        sys.stderr.reconfigure(errors="backslashreplace")
        print(*differences, sep="\n", file=sys.stderr)
        return 1
    invalid = [result.job_id for result in results
               if result.reason == "INVALID_INPUT"]
    print(*invalid[:1], sep="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Checks that every job of the quick start ended as it should.

Holds the results of `vigil batch -o json` against three things that know
nothing of each other: the modules that do not compile (find_malformed.py), the
files that are there, and the coordinator's own counts (`vigil status -o json`,
and ListJobs and ListBatches by count_jobs.py). The jobs of malformed modules,
and only those, gave their fallback, and every module has one file: a malformed
one as it was. Samples of the same modules that were run apart must have ended
the same, but for the fallback where they had none, and left the same files.
Prints the id of one degraded job, if there is any; otherwise each difference on
stderr, and exits 1.
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
    # Why it failed, or would have without its fallback.
    reason: str
    degraded: bool

    def without_fallback(self) -> Result:
        """How the job would have ended if it had had no fallback."""
        if not self.degraded:
            return self
        return self._replace(state="FAILED", degraded=False)


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
                   record.get("reason", "").removeprefix("REASON_"),
                   record.get("degraded", False)))
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
    degraded = [result.item for result in results
                if (result.state, result.reason, result.degraded) ==
                ("SUCCEEDED", "INVALID_INPUT", True)]
    rewritten = [result.item for result in results
                 if (result.state, result.reason) == ("SUCCEEDED", "")]
    return [
        *only_in(modules, counts, "no result"),
        *only_in(counts, modules, "result that nobody asked for"),
        *only_in((item for item, count in counts.items() if count > 1), (),
                 "more than one result"),
        *only_in(malformed, degraded,
                 "malformed, but not degraded for INVALID_INPUT"),
        *only_in(degraded, malformed,
                 "degraded for INVALID_INPUT, but it compiles"),
        *only_in(set(modules) - set(malformed), rewritten,
                 "compiles, but its job did not succeed by itself"),
    ]


def compare_with_files(results: list[Result], modules: list[str], root: str,
                       output_dir: str) -> list[str]:
    """Every module left one file; where its job is degraded, its own copy."""
    expected = {os.path.relpath(module, root) for module in modules}
    found = {os.path.relpath(os.path.join(directory, name), output_dir)
             for directory, _, names in os.walk(output_dir) for name in names}
    degraded = {os.path.relpath(result.item, root) for result in results
                if result.degraded}
    there = expected & found
    changed = [path for path in there & degraded
               if not is_copy(os.path.join(root, path),
                              os.path.join(output_dir, path))]
    wrong = [path for path in there - degraded
             if not is_rewritten(os.path.join(root, path),
                                 os.path.join(output_dir, path))]
    return [
        *only_in(expected, found, "module without output"),
        *only_in(found, expected, "output of no module"),
        *only_in(changed, (), "degraded, but not the module itself"),
        *only_in(wrong, (), "neither the module itself nor Python"),
    ]


def is_copy(module: str, output: str) -> bool:
    """Whether `output` has the bytes of `module`."""
    return filecmp.cmp(module, output, shallow=False)


def is_rewritten(module: str, output: str) -> bool:
    """Whether `output` is `module` itself, or another that compiles."""
    if is_copy(module, output):
        return True
    try:
        compile(pathlib.Path(output).read_bytes(), output, "exec",
                dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def compare_with_sample(results: list[Result], sample: list[Result], root: str,
                        output_dir: str, sample_dir: str) -> list[str]:
    """The jobs of a sample did what the others did of the same modules."""
    ends = {result.item: result[2:] for result in results}
    differ = [result.item for result in sample
              if result[2:] != ends.get(result.item)]
    # A fallback's file is not the job's, and was not asked of the samples.
    written = [os.path.relpath(result.item, root) for result in sample
               if result.state == "SUCCEEDED" and not result.degraded and
               result.item not in differ]
    _, unlike, missing = filecmp.cmpfiles(output_dir, sample_dir, written,
                                          shallow=False)
    return [
        *only_in(differ, (), "ended otherwise in the sample"),
        *only_in(unlike + missing, (), "written otherwise in the sample"),
    ]


def count_batch(results: list[Result]) -> dict[str, int]:
    """Counts the results of one batch as the coordinator counts its items."""
    return {
        "accepted": len(results),
        "succeeded": sum(result.state == "SUCCEEDED" for result in results),
        "degraded": sum(result.degraded for result in results),
        "failed": sum(result.state == "FAILED" for result in results),
    }


def compare_with_coordinator(batches: list[list[Result]], status_path: str,
                             listed_path: str) -> list[str]:
    """The coordinator counts, and lists, the same jobs and batches."""
    with open(status_path, encoding="utf-8") as file:
        status = json.load(file)
    with open(listed_path, encoding="utf-8") as file:
        listed = json.load(file)
    results = [result for batch in batches for result in batch]
    states = collections.Counter(result.state for result in results)
    degraded = sum(result.degraded for result in results)
    counted = {state["state"].removeprefix("STATE_"): int(state["jobs"])
               for state in status.get("states", [])
               if int(state.get("jobs", 0))}
    pairs = [
        ("jobs", states, "GetStatus", counted),
        ("jobs", states, "ListJobs", listed["states"]),
        ("degraded jobs", degraded, "GetStatus",
         int(status.get("fallbacks", 0))),
        ("degraded jobs", degraded, "ListJobs", listed["degraded"]),
        # In no order: they were made one after the other, but listed by id.
        ("batches", sorted(map(json.dumps, map(count_batch, batches))),
         "ListBatches", sorted(map(json.dumps, listed["batches"]))),
    ]
    return [f"{what}: results say {ours}, {source} says {theirs}"
            for what, ours, source, theirs in pairs if ours != theirs]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--results", required=True,
                        help="from `vigil batch -o json`")
    for name, what in (("--sample", "with the same fallback"),
                       ("--plain_sample", "without a fallback")):
        parser.add_argument(name, nargs=2, default=[], action="append",
                            metavar=("RESULTS", "OUTPUT_DIR"),
                            help=f"of modules that were run once more, {what}")
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
    modules = read_lines(options.modules)
    plain = [result.without_fallback() for result in results]
    # With each sample's directory, how its jobs must have ended.
    samples = [(read_results(path), output_dir, expected)
               for paths, expected in ((options.sample, results),
                                       (options.plain_sample, plain))
               for path, output_dir in paths]
    differences = [
        *compare_with_modules(results, modules,
                              read_lines(options.malformed)),
        *compare_with_files(results, modules, options.root,
                            options.output_dir),
        *(line for sample, sample_dir, expected in samples
          for line in compare_with_sample(expected, sample, options.root,
                                          options.output_dir, sample_dir)),
        *compare_with_coordinator(
            [results, *(sample for sample, _, _ in samples)], options.status,
            options.listed),
    ]
    if differences:
        sys.stderr.reconfigure(errors="backslashreplace")
        print(*differences, sep="\n", file=sys.stderr)
        return 1
    degraded = [result.job_id for result in results if result.degraded]
    print(*degraded[:1], sep="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

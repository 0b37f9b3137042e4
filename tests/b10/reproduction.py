"""The incident of the batch pipeline that ran out of threads, reproduced.

Thousands of short jobs, each of which transforms a generated program, go
through `vigil batch --fallback=input`. What went wrong then is injected, by the
number of the item, and so are its shares: one in a hundred cannot start a
thread at its first attempt (nearly all of these can at the second or third),
and one in a hundred is malformed. What is measured is what Vigil makes of it:

  thread-class failures before retry   items whose first attempt ended
                                       RESOURCE_EXHAUSTED
  cured by the retry                   those of them that SUCCEEDED with a
                                       result of their own
  fallbacks                            items degraded, but not for INVALID_INPUT
  net                                  items that were still RESOURCE_EXHAUSTED
                                       when their retries were used up
  malformed                            items degraded for INVALID_INPUT
  pipeline failures                    items with no result, with a wrong one,
                                       or with more than one: FAILED, CANCELLED,
                                       refused, not run, missing, mixed up
  crashes                              coordinator or worker replaced or gone,
                                       attempts lost, processes that died; and
                                       counts of the coordinator that differ
"""
import ast
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, NamedTuple

from cluster import PYTHON, VIGIL, Cluster, Reason, State
from vigil.v1 import batch_service_pb2, batch_service_pb2_grpc

B10 = os.path.abspath("tests/b10")
sys.path.insert(0, os.path.abspath("client/python"))
sys.path.insert(0, B10)
import transform  # pylint: disable=wrong-import-position

SLOTS = 4

# Which items are which, by their number modulo the first of each pair.
EXHAUSTED = (100, 37)
EXHAUSTED_TWICE = (1000, 537)
INCURABLE = (4000, 3937)
MALFORMED = (100, 73)
ALWAYS = 1000  # Attempts: more than any job has.

# Programs that are malformed, each in its own way; the last is not even JSON.
BROKEN = ("def f(x:\n    return x", "return = 1", "\0", 7, None)

# For one run. 20,000 jobs take under a minute; without an end something hangs.
SECONDS_MAX = 1800

Json = dict[str, Any]


class Item(NamedTuple):
    line: str
    expected: str  # Its own result; "" where it is malformed.


def is_one(number: int, rule: tuple[int, int]) -> bool:
    return number % rule[0] == rule[1]


def make_item(number: int, incurable: tuple[int, int]) -> Item:
    program: Any = (f"def f{number}(x):\n    y = x * ({number} + 1 + 2)\n"
                    f"    return y + ({number} + 40)\n")
    exhausted = 0
    if is_one(number, incurable):
        exhausted = ALWAYS
    elif is_one(number, EXHAUSTED):
        exhausted = 2 if is_one(number, EXHAUSTED_TWICE) else 1
    if not is_one(number, MALFORMED):
        expected = transform.transform(program)
        assert f"{number} + " not in expected, "nothing was worked out"
        ast.parse(expected)
    else:
        expected = ""
        program = BROKEN[number // MALFORMED[0] % len(BROKEN)]
    line = json.dumps({"number": number, "program": program,
                       "exhausted": exhausted})
    # Cut off, where the program itself is no text.
    return Item(line[:-1] if program is None else line, expected)


class Figure(NamedTuple):
    name: str
    count: int
    of: int
    bound: str  # As it is printed: a sign and a share in per cent, or nothing.
    within: Callable[[float], bool]

    def share(self) -> float:
        return self.count / self.of if self.of else 0.0

    def met(self) -> bool:
        return self.within(self.share())

    def __str__(self) -> str:
        return (f"{self.name:<36} {self.count:>6} of {self.of:<6} "
                f"{100 * self.share():>8.3f} %  {self.bound:<9} "
                f"{'met' if self.met() else 'MISSED'}")


class Report(NamedTuple):
    """What a run has shown."""
    figures: list[Figure]
    # Sources that contradict each other, and what crashed; empty if none.
    faults: list[str]
    notes: list[str]

    def good(self) -> bool:
        return not self.faults and all(one.met() for one in self.figures)

    def __str__(self) -> str:
        crashes = f"{'crashes, and counts that differ':<36} "
        crashes += f"{len(self.faults):>6}{'':<26}"
        crashes += "MISSED" if self.faults else "none      met"
        return "\n".join([*map(str, self.figures), crashes,
                          *(f"note: {note}" for note in self.notes),
                          *(f"FAULT: {fault}" for fault in self.faults)])


def catalog(journal: str) -> str:
    """The task type; `journal` is where it counts what it has begun."""
    return f"""
task_types {{
  name: "transform"
  argv: "{PYTHON}"
  argv: "{B10}/transform.py"
  env {{ key: "PYTHONPATH" value: "{os.path.abspath("client/python")}" }}
  env {{ key: "{transform.JOURNAL}" value: "{journal}" }}
  frames: FRAMES_JSON
  result_validator: RESULT_VALIDATOR_UTF8
  # A program takes less than a millisecond: no slot should wait for the next.
  max_in_flight: 16
}}
"""


def run_batch(cluster: Cluster, items: list[Item]) -> tuple[int, list[Json]]:
    """Runs all items; returns the exit status and the lines of results."""
    (cluster.dir / "items").write_text("".join(
        one.line + "\n" for one in items))
    with open(cluster.dir / "results", "wb") as results:
        ran = subprocess.run(
            [VIGIL, "batch", f"--address={cluster.address}",
             "--task_type=transform", "--fallback=input", "--input={}", "-o",
             "json", "-a", cluster.dir / "items"],
            stdin=subprocess.DEVNULL, stdout=results, check=False,
            timeout=SECONDS_MAX)
    with open(cluster.dir / "results", encoding="utf-8") as results:
        return ran.returncode, [json.loads(line) for line in results]


def failed_first(jobs) -> set[int]:
    """The indexes of items whose first attempt that counts was exhausted."""
    found = set()
    for job in jobs:
        charged = [attempt for attempt in job.attempts if attempt.charged]
        if charged and (charged[0].failure.reason ==
                        Reason.REASON_RESOURCE_EXHAUSTED):
            found.add(job.batch_index)
    return found


def is_whole(result: Json, item: Item) -> bool:
    """Whether an item has the result that it should: its own, or its input."""
    if result["state"] != "SUCCEEDED" or result["item"] != item.line:
        return False
    return result.get("result") == (item.line if result.get("degraded") else
                                    item.expected)


def figures_of(items: list[Item], results: list[Json],
               exhausted: set[int]) -> list[Figure]:
    """The row's figures beside their bounds."""
    total = len(items)
    by_index = collections.defaultdict(list)
    for result in results:
        by_index[result["index"] - 1].append(result)
    whole = {index for index, found in by_index.items()
             if len(found) == 1 and index < total and
             is_whole(found[0], items[index])}
    degraded = {index: by_index[index][0]["reason"] for index in whole
                if by_index[index][0].get("degraded")}
    malformed = sum(reason == "INVALID_INPUT" for reason in degraded.values())
    net = sum(result["reason"] == "RESOURCE_EXHAUSTED" for result in results)
    cured = len((exhausted & whole) - degraded.keys())
    return [
        Figure("thread-class failures before retry", len(exhausted), total,
               "<= 1 %", lambda share: share <= 0.01),
        Figure("cured by the retry", cured, len(exhausted), "> 90 %",
               lambda share: share > 0.9),
        Figure("fallbacks", len(degraded) - malformed, total, "< 0.1 %",
               lambda share: share < 0.001),
        Figure("net", net, total, "< 0.05 %", lambda share: share < 0.0005),
        Figure("malformed", malformed, total, "< 2 %",
               lambda share: share < 0.02),
        Figure("pipeline failures", total - len(whole), total, "< 0.2 %",
               lambda share: share < 0.002),
    ]


def degraded_count(results: list[Json]) -> int:
    return sum(result.get("degraded", False) for result in results)


def cured_count(results: list[Json]) -> int:
    """Items that succeeded by themselves, but not at once."""
    return sum(result["attempts"] > 1 and not result.get("degraded") and
               result["state"] == "SUCCEEDED" for result in results)


def batch_counts(cluster: Cluster) -> list[dict[str, int]]:
    """What the coordinator counts of its batches."""
    stub = batch_service_pb2_grpc.BatchServiceStub(cluster.channel)
    return [{"accepted": batch.counts.accepted,
             "succeeded": batch.counts.succeeded,
             "degraded": batch.counts.degraded,
             "retried": batch.counts.retried}
            for batch in stub.ListBatches(
                batch_service_pb2.ListBatchesRequest()).batches]


def faults_of(cluster: Cluster, before, jobs, results: list[Json]) -> list[str]:
    """Crashes, and counts of the coordinator's that are others."""
    after = cluster.get_status()
    died = collections.Counter(
        Reason.Reason.Name(attempt.failure.reason)
        for job in jobs for attempt in job.attempts
        if attempt.HasField("failure") and attempt.failure.reason not in
        (Reason.REASON_RESOURCE_EXHAUSTED, Reason.REASON_INVALID_INPUT))
    counted = collections.Counter(result["state"] for result in results)
    states = {State.State.Name(count.state).removeprefix("STATE_"): count.jobs
              for count in after.states if count.jobs}
    pairs = [
        ("the coordinator's life", before.epoch, after.epoch),
        ("workers", [worker.session_id for worker in before.workers],
         [worker.session_id for worker in after.workers]),
        ("local workers replaced", 0, after.local_workers_replaced),
        ("attempts lost", 0, after.attempts_lost),
        ("deaths not proved", 0, after.deaths_unconfirmed),
        ("attempts that ended for other reasons", {}, dict(died)),
        ("degraded jobs, by GetStatus", degraded_count(results),
         after.fallbacks),
        ("jobs by state, by GetStatus", dict(counted), states),
        ("the batch, by ListBatches",
         [{"accepted": len(results), "succeeded": counted["SUCCEEDED"],
           "degraded": degraded_count(results),
           "retried": cured_count(results)}], batch_counts(cluster)),
    ]
    return [f"{what}: {theirs}, not {ours}"
            for what, ours, theirs in pairs if ours != theirs]


def check_telemetry(cluster: Cluster, results: list[Json],
                    seconds: float) -> tuple[list[str], list[str]]:
    """Faults and notes of what `vigil status` says of the last minutes.

    A coordinator may keep no telemetry, and the run may be longer than it looks
    back: then there is nothing to compare.
    """
    shown = cluster.vigil("status", "-o", "json").stdout
    telemetry = json.loads(shown).get("telemetry", {})
    window = float(telemetry.get("window", "0s").removesuffix("s"))
    if seconds > window or not int(telemetry.get("jobs", 0)):
        return [], ["no telemetry of the whole run; results and lists only"]
    ours = {
        "jobs": len(results),
        "fallbacks": degraded_count(results),
        "retries_cured": cured_count(results),
    }
    theirs = {name: int(telemetry.get(name, 0)) for name in ours}
    exhausted = sum(int(count["attempts"])
                    for count in telemetry.get("reasons", [])
                    if count.get("reason") == "REASON_RESOURCE_EXHAUSTED")
    notes = [f"telemetry: {exhausted} attempts RESOURCE_EXHAUSTED, "
             f"{telemetry.get('health', 'no health')}"]
    return ([] if ours == theirs else
            [f"telemetry: {theirs}, not {ours}"], notes)


def reproduce(count: int, incurable: tuple[int, int] = INCURABLE) -> Report:
    """Runs so many items on a coordinator of its own."""
    items = [make_item(number, incurable) for number in range(count)]
    with tempfile.TemporaryDirectory() as journal, Cluster(
            local_slots=SLOTS, catalog=catalog(journal)) as cluster:
        before = cluster.get_status()
        start = time.monotonic()
        status, results = run_batch(cluster, items)
        seconds = time.monotonic() - start
        jobs = cluster.list_jobs()
        faults = faults_of(cluster, before, jobs, results)
        if status != 0:
            faults.append(f"vigil batch: exit status {status}")
        more, notes = check_telemetry(cluster, results, seconds)
        worker, = cluster.get_status().workers
        usable = (f", {worker.usable_slots.slots} of them in use at the end"
                  if worker.HasField("usable_slots") else "")
        notes.append(f"{count} jobs in {seconds:.1f} s on {SLOTS} slots"
                     f"{usable}")
        return Report(figures_of(items, results, failed_first(jobs)),
                      faults + more, notes)

"""The benchmarks: prints a table of medians and ranges.

Usage: bench.py [launch | decision | kills | throughput | warm | queue |
                 million | http | restart | lost | tokens | streams |
                 cli]...;
default: all.
Figures move from machine to machine and with its load: compare what was
measured side by side in one run.
"""
import os
import pathlib
import statistics
import subprocess
import sys
import time

import cli
import recovery
from cluster import FINAL, VIGIL, Cluster, Reason, State, wait_until
from http_calls import call_times
from load_case import resident_mib
from status_calls import status_times
from submissions import submit
from table import header, row
from vigil.v1 import job_service_pb2

BENCH = os.path.abspath("tests/bench")
# Repetitions of whatever is compared with a peer, taking turns with it.
REPEATS = 5
LAUNCH_ROUNDS = 200
DECISIONS = 20
DECISION_TIMEOUT = 0.5  # seconds
KILLS = 510  # of each tree; the goals are about 500 and more
KILL_TIMEOUT = 0.1  # seconds
KILLED_TREES = (1, 10)  # processes
# The 99th percentiles that are wanted of a machine that does nothing else.
DECISION_GOAL_US = 5_000
DEATH_GOAL_US = 25_000
SUCCESSOR_GOAL_US = 5_000
THROUGHPUT_JOBS = 10_000
# Submitted in one call: what comes first runs while the rest is submitted.
THROUGHPUT_PIECE = 500
QUEUED_JOBS = 200_000
MIB = 2 ** 20  # bytes
WARM_JOBS = 5_000
WARM_DEPTHS = (1, 4, 16, 64)
WARM_ROUNDS = 500
TOKENS = 200_000
BATCH_ITEMS = 1_000_000
BATCH_PEAK_GOAL_MB = 200  # of each process, while a million items pass through
STAMPED_TOKENS = 2000


def launch():
    """Idle, one job at a time: the client's call to the task's main."""
    with Cluster(local_slots=1) as cluster:
        lines = subprocess.run(
            [f"{BENCH}/launch_latency", cluster.address, f"{BENCH}/stamp",
             str(LAUNCH_ROUNDS)],
            check=True, stdout=subprocess.PIPE).stdout.splitlines()
    run, spawn, whole = zip(*(map(float, line.split()) for line in lines))
    row("launch: RunJob to first instruction", run, "us")
    row("launch: posix_spawn to first instruction", spawn, "us")
    row("launch: RunJob to its end", whole, "us")


def decision():
    """From the inactivity deadline to the decision to stop."""
    late = []
    with Cluster(local_slots=1) as cluster:
        for _ in range(DECISIONS):
            job, _, _ = cluster.run(cluster.command(
                "/bin/sh", "-c", "echo x; exec sleep 600",
                inactivity=DECISION_TIMEOUT))
            silence = job.attempts[0].evidence.silence
            late.append((silence.ToNanoseconds() / 1e9 - DECISION_TIMEOUT)
                        * 1e6)
    row("decision: inactivity deadline to STOPPING", late, "us")


def kills():
    """Tasks that hang, one after the other in one slot, each killed at once.

    The worker measures from a task's last output, as it read it, to its
    decision (silence) and from there to the proof of death. The tasks say when
    they wrote that output, and when they began; all are times since boot. So
    what the pipe adds is counted with the way to the next task.
    """
    for processes in KILLED_TREES:
        with Cluster(local_slots=1) as cluster:
            job_ids = submit_stalls(cluster, processes)
            time.sleep(KILLS * KILL_TIMEOUT)  # Let it work undisturbed.
            cluster.finish(job_ids[-1])
            kills_rows(processes, [cluster.get(job_id) for job_id in job_ids])


def submit_stalls(cluster, processes):
    """Submits KILLS jobs that hang, and one; returns their ids."""
    request = job_service_pb2.SubmitJobsRequest()
    for _ in range(KILLS + 1):
        job = cluster.command(
            f"{BENCH}/stall", processes, inactivity=KILL_TIMEOUT,
            shutdown_grace=0, max_processes=100)
        if processes == 1:
            job.spec.ClearField("max_processes")
        request.jobs.append(job)
    return [result.job_id
            for result in cluster.jobs.SubmitJobs(request).results]


def kills_rows(processes, jobs):
    """Prints what became of jobs that hung, in the order of their start."""
    decisions, deaths, successors, wholes = [], [], [], []
    last_death = last_deadline = None
    for job in jobs:
        if job.failure.reason != Reason.REASON_INACTIVITY_TIMEOUT:
            raise AssertionError(job)
        evidence = job.attempts[0].evidence
        if (not evidence.killed or evidence.death_unconfirmed or
                evidence.process_count != processes):
            raise AssertionError(job)
        begun, written = map(int, evidence.last_output.split())
        if last_death is not None:
            successors.append((begun - last_death) / 1e3)
            wholes.append((begun - last_deadline) / 1e3)
        silence = evidence.silence.ToNanoseconds()
        death = evidence.time_to_confirmed_death.ToNanoseconds()
        decisions.append((silence - KILL_TIMEOUT * 1e9) / 1e3)
        deaths.append(death / 1e3)
        last_death = written + silence + death
        last_deadline = written + KILL_TIMEOUT * 1e9
    what = f"kills, {processes} process{'es' if processes > 1 else ''}:"
    # The last one had no successor.
    row(f"{what} deadline to decision", decisions[:-1], "us",
        goal=DECISION_GOAL_US)
    row(f"{what} to proved death", deaths[:-1], "us", goal=DEATH_GOAL_US)
    row(f"{what} to the next task", successors, "us", goal=SUCCESSOR_GOAL_US)
    row(f"{what} all three", wholes, "us")


def succeeded(cluster):
    """Jobs that have succeeded since the coordinator's start."""
    counts = {c.state: c.jobs for c in cluster.get_status().states}
    for state in FINAL:
        if state != State.STATE_SUCCEEDED and counts.get(state, 0):
            raise AssertionError(f"{counts}")
    return counts.get(State.STATE_SUCCEEDED, 0)


def throughput():
    """Command jobs per second on two slots, beside xargs -P2.

    From the first submission to the last durable end.
    """
    ours, theirs = [], []
    arguments = b"".join(b"%d\n" % i for i in range(THROUGHPUT_JOBS))
    with Cluster(local_slots=2) as cluster:
        for _ in range(REPEATS):
            target = succeeded(cluster) + THROUGHPUT_JOBS
            start = time.monotonic()
            submit(cluster, THROUGHPUT_JOBS, piece=THROUGHPUT_PIECE)
            wait_until(lambda: succeeded(cluster) >= target, "all end", 600)
            ours.append(THROUGHPUT_JOBS / (time.monotonic() - start))
            start = time.monotonic()
            subprocess.run(["xargs", "-P2", "-n1", "/bin/true"],
                           input=arguments, check=True)
            theirs.append(THROUGHPUT_JOBS / (time.monotonic() - start))
    row("throughput: 2 slots, /bin/true", ours, "jobs/s")
    row("throughput: xargs -P2 -n1 /bin/true", theirs, "runs/s")
    row("throughput: ratio", [a / b for a, b in zip(ours, theirs)], "", 2)


def warm_catalog():
    """A task type for each depth: the same program."""
    return "".join(f"""
        task_types {{
          name: "depth{depth}"
          argv: "{BENCH}/bench_task"
          frames: FRAMES_PROTOBUF
          max_in_flight: {depth}
          activity {{ mode: MODE_SILENT }}
        }}""" for depth in WARM_DEPTHS)


def warm_latency(cluster, what, count):
    """The figures that warm_latency prints."""
    return [float(line) for line in subprocess.run(
        [f"{BENCH}/warm_latency", cluster.address, "depth1", what, str(count)],
        check=True, stdout=subprocess.PIPE).stdout.split()]


def warm():
    """Warm jobs: how many, how soon, and how fast their tokens come."""
    rates = {depth: [] for depth in WARM_DEPTHS}
    with Cluster(local_slots=2, catalog=warm_catalog()) as cluster:
        for _ in range(REPEATS):
            for depth in WARM_DEPTHS:
                target = succeeded(cluster) + WARM_JOBS
                start = time.monotonic()
                submit(cluster, WARM_JOBS, f"depth{depth}")
                wait_until(lambda: succeeded(cluster) >= target, "all end", 600)
                rates[depth].append(WARM_JOBS / (time.monotonic() - start))
        start = warm_latency(cluster, "start", WARM_ROUNDS)
        speed = [warm_latency(cluster, "tokens", TOKENS)[0]
                 for _ in range(REPEATS)]
        added = warm_latency(cluster, "added", STAMPED_TOKENS)
    row("warm: no-op jobs, 2 slots, depth 1", rates[1], "jobs/s")
    best = max(WARM_DEPTHS, key=lambda depth: statistics.median(rates[depth]))
    row(f"warm: the same at the best depth, {best}", rates[best], "jobs/s")
    row("warm: RunJob to start read by the task", start, "us")
    row("warm: tokens of one job to its watcher", speed, "tokens/s")
    row("warm: a token's way from task to watcher", added, "us")


def peak_mb(pid):
    """The largest resident set that a process ever had."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmHWM")


def million():
    """A million no-op items through one RunBatch: rate and peak memory."""
    with Cluster(local_slots=2, catalog=warm_catalog()) as cluster:
        items = cluster.dir / "items"
        items.write_text("".join(f"{i}\n" for i in range(BATCH_ITEMS)))
        start = time.monotonic()
        batch = subprocess.Popen(
            [VIGIL, "batch", f"--address={cluster.address}",
             "--task_type=depth64", "--input={}", "-a", items, "-o", "json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        client = 0
        while batch.poll() is None:
            try:
                client = max(client, peak_mb(batch.pid))
            except AssertionError:
                pass  # It has just ended.
            time.sleep(0.1)
        seconds = time.monotonic() - start
        if batch.returncode != 0 or succeeded(cluster) != BATCH_ITEMS:
            sys.exit(f"bench: the batch ended with {batch.returncode}")
        row("million: no-op items through RunBatch", [BATCH_ITEMS / seconds],
            "items/s")
        for name, peak in (
                ("client", client),
                ("coordinator", peak_mb(cluster.coordinator.pid)),
                ("worker", peak_mb(cluster.local_worker_pid()))):
            row(f"million: peak memory of the {name}", [peak], "MB", 1)
            if peak > BATCH_PEAK_GOAL_MB:
                print(f"  MISSED: wanted at most {BATCH_PEAK_GOAL_MB} MB")


def queue():
    """200,000 queued jobs: submission, memory, GetStatus, restart."""
    with Cluster(local_slots=0) as cluster:
        row("queue: GetStatus, nothing queued", status_times(cluster), "us")
        before = resident_mib(cluster.coordinator.pid)
        seconds = submit(cluster, QUEUED_JOBS)
        row("queue: SubmitJobs, 10,000 a call", [QUEUED_JOBS / seconds],
            "jobs/s")
        grown = resident_mib(cluster.coordinator.pid) - before
        row("queue: memory of each of 200,000",
            [grown * MIB / QUEUED_JOBS], "bytes")
        row("queue: GetStatus, 200,000 queued", status_times(cluster), "us")
        cluster.kill()
        start = time.monotonic()
        cluster.start()
        row("queue: kill -9 to serving again",
            [(time.monotonic() - start) * 1e3], "ms")
        grown = resident_mib(cluster.coordinator.pid) - before
        row("queue: memory of each after the restart",
            [grown * MIB / QUEUED_JOBS], "bytes")


def http():
    """GetJob over HTTP and over gRPC."""
    for name, times in call_times().items():
        row(f"http: GetJob, {name}", times, "us")


def main():
    """Runs what the arguments name."""
    known = {"launch": launch, "decision": decision, "kills": kills,
             "throughput": throughput, "warm": warm, "queue": queue,
             "million": million, "http": http, **recovery.KNOWN,
             **cli.KNOWN}
    names = sys.argv[1:] or list(known)
    for name in names:
        if name not in known:
            sys.exit(f"bench: unknown: {name}; known: {' '.join(known)}")
    header()
    for name in names:
        known[name]()


if __name__ == "__main__":
    main()

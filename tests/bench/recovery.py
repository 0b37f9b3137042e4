"""Benchmarks of what follows a kill: a coordinator with a million jobs, a
worker whose job runs elsewhere, tokens that go on behind a restart; and of a
coordinator that is asked how it is while 10,000 streams keep it busy.
"""
import itertools
import os
import signal
import subprocess
import threading
import time

from cluster import Cluster, Phase, processes_with, wait_until
from load_case import LoadedCluster
from status_calls import status_times
from table import row
from vigil.v1 import job_service_pb2

BENCH = os.path.abspath("tests/bench")
REPEATS = 5
MILLION = 1_000_000
SUBMIT_PIECE = 10_000
KILLS = 100  # of workers, in each way
TOKENS = 300  # of a job, 10 ms apart
TOKEN_KILL = 1.0  # seconds from a job's first token to the kill
TOKEN_ROUNDS = 20
# Of workers that do not come back; heartbeats come ten times in a lease.
LEASE = 1.0  # seconds
MARGIN = 1.5  # at least 1.4 s and a hundredth of the lease
STREAMS = 10_000
FLOOD_BYTES = 4_000_000


def seconds():
    """CLOCK_MONOTONIC, as the tasks stamp it."""
    return time.monotonic_ns() / 1e9


class Stamps:
    """What tasks write when they begin."""

    def __init__(self, cluster):
        self.path = cluster.dir / "stamps"
        self.path.touch()
        self.cluster = cluster

    def holder(self, **options):
        """A job that stamps its begin and then keeps its slot."""
        return self.cluster.command(
            "/bin/sh", "-c",
            f"{BENCH}/stamp >> {self.path}; exec sleep 600", inactivity=3600,
            start_to_close=3600, **options)

    def after(self, instant):
        """Waits for a task that began after `instant`; returns when it did."""
        def first():
            for line in self.path.read_text().splitlines():
                if int(line) / 1e9 > instant:
                    return int(line) / 1e9
            return None
        return wait_until(first, "a task begins", 120)


# --- a coordinator with a million queued jobs

def restart():
    """A million queued jobs: kill -9 to serving and to the first task."""
    serving, first, scans, ratios = [], [], [], []
    with Cluster(local_slots=0) as cluster:
        stamps = Stamps(cluster)
        for _ in range(REPEATS):
            cluster.submit(stamps.holder())
        request = job_service_pb2.SubmitJobsRequest()
        for _ in range(SUBMIT_PIECE):
            request.jobs.add().spec.command.argv.append("/bin/true")
        for _ in range(MILLION // SUBMIT_PIECE):
            answer = cluster.jobs.SubmitJobs(request)
            if not all(result.job_id for result in answer.results):
                # The limit is a million, and some lie there already.
                break
        cluster.flags[0] = "--local_slots=1"
        for _ in range(REPEATS):
            cluster.kill()
            rows, took = subprocess.run(
                [f"{BENCH}/store_scan", cluster.data_dir / "jobs.db"],
                check=True, stdout=subprocess.PIPE).stdout.split()
            if int(rows) < MILLION:
                raise AssertionError(rows)
            begin = seconds()
            cluster.start()
            serving.append(seconds() - begin)
            first.append(stamps.after(begin) - begin)
            scans.append(float(took))
            ratios.append(serving[-1] / scans[-1])
    row("restart: 1,000,000 queued, exec to serving",
        [value * 1e3 for value in serving], "ms")
    row("restart: the same to a task's first instruction",
        [value * 1e3 for value in first], "ms")
    row("restart: bare scan of the same rows",
        [value * 1e3 for value in scans], "ms")
    row("restart: serving, ratio to the scan", ratios, "", 2)


# --- a worker that was killed

class Loss:
    """One worker with a job after the other, and one to which they go over."""

    def __init__(self, cluster, stamps, refuge_id, times):
        self.cluster = cluster
        self.stamps = stamps
        self.refuge_id = refuge_id
        self.times = times

    def round(self, kill, back):
        """Kills the worker of a job, which then begins on the other one.

        kill(pid) kills; back() brings a worker back for the next round.
        """
        cluster = self.cluster
        wait_until(lambda: len(self.others()) == 1, "a slot elsewhere")
        cluster.set_slots(self.refuge_id, 0)
        begin = seconds()
        # The next attempt as soon as may be: what is measured is the proof.
        job_id = cluster.submit(self.stamps.holder(initial_interval=0.001))
        self.stamps.after(begin)
        victim = cluster.get(job_id).attempts[0].worker_id
        if victim == self.refuge_id:
            raise AssertionError("on the wrong worker")
        cluster.set_slots(self.refuge_id, 1)
        pid = next(worker.pid for worker in cluster.get_status().workers
                   if worker.worker_id == victim)
        begin = seconds()
        kill(pid)
        self.times.append(self.stamps.after(begin) - begin)
        job = cluster.get(job_id)
        # The successor of the killed one may be as quick as the other worker.
        if (len(job.attempts) != 2 or job.attempts[1].session_id ==
                job.attempts[0].session_id):
            raise AssertionError(job)
        cluster.cancel(job_id)
        cluster.finish(job_id)
        back()

    def others(self):
        """Workers other than the refuge, that are connected."""
        return [worker for worker in self.cluster.get_status().workers
                if worker.worker_id != self.refuge_id]


def lost_row(what, times):
    """A row of the table, of seconds."""
    row(f"lost: {what}", [value * 1e3 for value in times], "ms", 1)


def kill_with_slots(cluster, name):
    """kill -9 of a worker and its slots, of which nobody is left to reap."""
    def kill(pid):
        slots = [slot for slot in processes_with(f"{cluster.dir}/{name}")
                 if slot != pid and is_slot(slot)]
        for victim in [pid, *slots]:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
    return kill


def is_slot(pid):
    """Whether a process is a slot, not a task."""
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith("/slot")
    except (FileNotFoundError, PermissionError):
        return False


def start_refuge(cluster):
    """Starts the worker to which jobs go over; returns its id."""
    cluster.start_worker("refuge")
    known = wait_until(
        lambda: [worker.worker_id for worker in cluster.get_status().workers
                 if not worker.local], "the refuge attaches")
    return known[0]


def lost():
    """From kill -9 of a worker to its job's first instruction elsewhere."""
    times = []
    for _ in range(KILLS):
        # A new one each time: a worker that dies again and again is replaced
        # later and later.
        with Cluster(local_slots=1) as cluster:
            loss = Loss(cluster, Stamps(cluster), start_refuge(cluster), times)
            loss.round(lambda pid: os.kill(pid, signal.SIGKILL), lambda: None)
    lost_row("local worker, reaped, to its job elsewhere", times)

    with Cluster(local_slots=0) as cluster:
        stamps = Stamps(cluster)
        times = []
        loss = Loss(cluster, stamps, start_refuge(cluster), times)
        cluster.start_worker("victim")
        kill = kill_with_slots(cluster, "victim")

        def kill_and_restart(pid):
            kill(pid)
            cluster.workers[-1].wait()
            cluster.start_worker("victim")
        for _ in range(KILLS):
            loss.round(kill_and_restart, lambda: None)
    lost_row("external, restarted and swept", times)

    flags = [f"--lease={LEASE}s", f"--lease_margin={MARGIN}s",
             f"--heartbeat_interval={LEASE / 10}s"]
    with Cluster(local_slots=0, flags=flags) as cluster:
        stamps = Stamps(cluster)
        times = []
        loss = Loss(cluster, stamps, start_refuge(cluster), times)
        names = (f"victim{i}" for i in itertools.count())
        name = next(names)
        cluster.start_worker(name)
        for _ in range(KILLS):
            kill = kill_with_slots(cluster, name)
            name = next(names)

            def back(name=name):
                cluster.start_worker(name)
            loss.round(kill, back)
    beyond = [value - LEASE - MARGIN for value in times]
    # Both run from the last heartbeat that came: a tenth of a lease before the
    # kill at most.
    lost_row("external, gone: beyond lease + margin", beyond)


# --- tokens behind a restart

def tokens():
    """A token each 10 ms to the C++ client; kill -9 of the coordinator."""
    gaps, restarts = [], []
    with Cluster(local_slots=0) as cluster:
        cluster.start_worker("w")
        wait_until(lambda: cluster.get_status().slots_total == 1, "a worker")
        for _ in range(TOKEN_ROUNDS):
            reader = subprocess.Popen(
                [f"{BENCH}/token_reader", cluster.address, f"{BENCH}/ticker",
                 str(TOKENS)], stdout=subprocess.PIPE, text=True)
            if reader.stdout.readline() != "started\n":
                raise AssertionError("the reader did not start")
            time.sleep(TOKEN_KILL)
            begin = seconds()
            cluster.kill()
            cluster.start()
            restarts.append((seconds() - begin) * 1e3)
            out, _ = reader.communicate(timeout=120)
            if reader.returncode != 0:
                raise AssertionError("tokens were lost or doubled")
            times = [int(line) / 1e6 for line in out.splitlines()]
            gaps.append(max(b - a for a, b in zip(times, times[1:])))
            wait_until(lambda: cluster.get_status().slots_total == 1, "back")
    row("tokens: gap that a reader sees of a restart", gaps, "ms", 1)
    row("tokens: kill -9 to serving, in the same runs", restarts, "ms", 1)


# --- 10,000 streams

def streams():
    """GetStatus with 10,000 streams, half of which take nothing, and floods."""
    with LoadedCluster() as cluster:
        row("streams: GetStatus, none", status_times(cluster), "us")
        before = cluster.resident_mib()
        chat = cluster.submit(cluster.command(
            "/bin/sh", "-c", "while :; do echo x; sleep 1; done",
            start_to_close=600))
        watchers = cluster.open_watchers(
            [f"{chat} live stuck {STREAMS // 2}",
             f"{chat} live reads {STREAMS // 2}"])
        row("streams: memory of each of 10,000",
            [(cluster.resident_mib() - before) * 1024 / STREAMS], "KiB", 1)
        row("streams: GetStatus, 10,000 that are silent",
            status_times(cluster), "us")
        cluster.add_slots(3)
        cluster.wait_phase(chat, Phase.PHASE_ACTIVE)
        ending = threading.Event()

        def flood():
            while not ending.is_set():
                cluster.finish(cluster.submit(cluster.command(
                    "/usr/bin/head", "-c", FLOOD_BYTES, "/dev/zero")))
        threads = [threading.Thread(target=flood) for _ in range(2)]
        for thread in threads:
            thread.start()
        row("streams: GetStatus, all told each second, floods",
            status_times(cluster), "us")
        ending.set()
        for thread in threads:
            thread.join()
        cluster.cancel(chat)
        cluster.read_all(watchers)


KNOWN = {"restart": restart, "lost": lost, "tokens": tokens,
         "streams": streams}

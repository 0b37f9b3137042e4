"""Kills tasks, slots and workers by -9 under load, and sees all go well.

Usage: kills.py [--cycles=2000] [--seconds=N] [--seed=S]
Each cycle SIGKILLs a task, a slot, a worker, or a worker and a slot at once, of
the coordinator's own worker or of an external one that is started again on its
directory. What lived under it must be gone 2 s later, zombies too; what a
killed worker and slot left to init, 2 s after the start of the worker's
successor. In the end every job has ended, ran once at a time, and was run.
Exit status 1, and a line that begins with FAULT for each, if that is not so.
"""
import argparse
import collections
import os
import random
import statistics
import subprocess
import sys
import time

import processes
from cluster import Cluster
from load import Load, live_jobs
from watch import EXTERNAL, LOCAL, Kill, Watch, slots_of

SLOTS = 3  # of each worker
LIVE_JOBS_MIN = 24  # so that no slot is ever short of jobs
TICK = 0.02  # seconds; how exactly times to a clean state are measured
SCAN_INTERVAL = 0.2  # seconds between two looks at all processes
FEED_INTERVAL = 0.25
PAUSE_MAX = 0.7  # seconds between two kills
AT_ONCE = 0.1  # of the kills come with the one before
SUCCESSOR_PAUSE_MAX = 0.5
# A local worker that dies younger is replaced later each time.
LOCAL_AGE_MIN = 10.5
EXTERNAL_AGE_MIN = 1.0
DRAIN_MAX = 120.0
FAULTS_MAX = 20
LOG_LINES = 200

TASK, SLOT, WORKER, BOTH = "task", "slot", "worker", "worker and slot"
# How often each is drawn, where it can be.
WEIGHTS = {TASK: 8, SLOT: 8, WORKER: 4, BOTH: 5}


class Harness:
    """A cluster, its load, and who kills there. Loop thread only."""

    def __init__(self, cluster, load, draw):
        self.cluster = cluster
        self.load = load
        self.draw = draw
        self.watch = Watch(os.getpid(), str(cluster.dir))
        self.external = None
        self.external_at = 0.0
        self.local_since = {}
        self.local_kills = 0
        self.next_scan = self.next_feed = 0.0
        self.live_jobs_min = LIVE_JOBS_MIN
        self.cycles = collections.Counter()

    # --- the external worker
    def start_external(self):
        """Starts the external worker, a first time or again."""
        now = time.monotonic()
        self.external = self.cluster.start_worker(
            "w", SLOTS, [f"--catalog={self.cluster.dir}/catalog.textproto"])
        self.external_at = now
        self.watch.successor_starts(now)

    def worker_pid(self, table, side):
        """The pid of a living worker, or None."""
        if side == EXTERNAL:
            return self.external.pid if self.external is not None else None
        for child in table.children_of(self.cluster.coordinator.pid):
            if child.name == "worker":
                return child.key.pid
        return None

    # --- one turn
    def tick(self):
        """Reaps as init would, checks, feeds."""
        time.sleep(TICK)
        self.reap()
        now = time.monotonic()
        self.watch.check_kills(now)
        if self.external is None and now >= self.external_at:
            self.start_external()
        if now >= self.next_scan:
            self.next_scan = now + SCAN_INTERVAL
            self.watch.check_strays(
                processes.Table(), self.cluster.coordinator.pid,
                self.external.pid if self.external else 0, now)
        if now >= self.next_feed:
            self.next_feed = now + FEED_INTERVAL
            self.load.keep_up(self.cluster, self.live_jobs_min)

    def reap(self):
        """Reaps what ended here: own children, and what fell to this process
        as it would have fallen to init."""
        # Of those that were reaped the pid may be another's by now.
        own = {child.pid: child for child in
               [*self.cluster.workers, self.cluster.coordinator]
               if child.returncode is None}
        for child in processes.reap(own):
            if child is self.external or child is self.cluster.coordinator:
                self.watch.fault(
                    "ended", f"pid {child.pid} ended by itself: "
                    f"{child.args[0]}, {child.returncode}")
                if child is self.external:
                    self.external = None

    # --- kills
    def try_kill(self, number):
        """Kills something, if there is something to kill."""
        table = processes.Table()
        candidates = {}
        for side in (LOCAL, EXTERNAL):
            worker = self.worker_pid(table, side)
            if worker is None:
                continue
            slots = [slot for slot in slots_of(table, worker)
                     if table.children_of(slot.key.pid)]
            if slots:
                for kind in self.kinds_of(table.processes[worker], side):
                    candidates[kind, side] = (table.processes[worker], slots)
        if not candidates:
            return False
        choice = self.draw.choices(
            list(candidates), [WEIGHTS[kind] for kind, _ in candidates])[0]
        worker, slots = candidates[choice]
        return self.kill(number, *choice, table, worker,
                         self.draw.choice(slots))

    def kinds_of(self, worker, side):
        """What may be killed of a worker now."""
        now = time.monotonic()
        if side == EXTERNAL:
            settled = now - self.external_at > EXTERNAL_AGE_MIN
        else:
            since = self.local_since.setdefault(worker.key, now)
            settled = now - since > LOCAL_AGE_MIN
        return list(WEIGHTS) if settled else [TASK, SLOT]

    def kill(self, number, kind, side, table, worker, slot):
        """Kills; every pid comes from the table, below the cluster's own."""
        task = table.children_of(slot.key.pid)[0]
        targets = {TASK: [task], SLOT: [slot], WORKER: [worker],
                   BOTH: [worker, slot]}[kind]
        if len(targets) > 1 and self.draw.random() < 0.5:
            targets.reverse()
        root = slot if kind in (TASK, SLOT) else worker
        victims = table.under(root.key.pid)
        if kind != TASK:
            victims.append(root)
        texts = {process.key: processes.describe(process.key)
                 for process in victims}
        since = time.monotonic()
        if sum([processes.kill(target.key) for target in targets]) == 0:
            return False
        self.watch.kills.append(Kill(number, kind, side, since, texts))
        self.cycles[kind, side] += 1
        if kind in (WORKER, BOTH):
            if side == LOCAL:
                self.local_kills += 1
            else:
                others = slots_of(table, worker.key.pid)
                if kind == BOTH:
                    others.remove(slot)
                self.external_killed(table, worker, others)
        return True

    def external_killed(self, table, worker, slots):
        """These slots live and clean up; the rest is the successor's."""
        self.external = None
        self.external_at = (time.monotonic()
                            + self.draw.uniform(0, SUCCESSOR_PAUSE_MAX))
        self.watch.successor_start = None
        self.watch.leave_to_successor(table, worker, slots)

    # --- the whole
    def run(self, cycles, seconds):
        """Kills until there were as many cycles, or for as long."""
        begin = next_kill = time.monotonic()
        done = 0
        while done < cycles and len(self.watch.faults) < FAULTS_MAX:
            self.tick()
            now = time.monotonic()
            if seconds is not None and now - begin > seconds:
                break
            if now < next_kill or not self.try_kill(done + 1):
                continue
            done += 1
            if done % 100 == 0:
                print(f"{done} cycles, {now - begin:.0f} s", flush=True)
            if self.draw.random() >= AT_ONCE:
                next_kill = now + self.draw.uniform(0, PAUSE_MAX)
        return done, time.monotonic() - begin

    def drain(self):
        """Waits until every job has ended and every kill was checked."""
        self.live_jobs_min = 0
        end = time.monotonic() + DRAIN_MAX
        while (self.watch.kills or self.external is None
               or live_jobs(self.cluster)):
            self.tick()
            if time.monotonic() > end:
                self.watch.fault(
                    "drain", f"{live_jobs(self.cluster)} jobs have not ended "
                    f"within {DRAIN_MAX:.0f} s")
                return

    def judge(self):
        """Looks at jobs and counters; returns counts of jobs by outcome."""
        outcomes, faults = self.load.judge(self.cluster)
        for kind, text in faults:
            self.watch.fault(kind, text)
        status = self.cluster.get_status()
        stored = sum(count.jobs for count in status.states)
        if stored != len(self.load.names):
            self.watch.fault(
                "lost", f"{len(self.load.names)} jobs were acknowledged, "
                f"{stored} are counted")
        if status.local_workers_replaced != self.local_kills:
            self.watch.fault(
                "ended", f"{status.local_workers_replaced} local workers were "
                f"replaced, {self.local_kills} were killed")
        return outcomes


def leftovers():
    """What is still below this process, when nothing should be."""
    return [f"{processes.describe(process.key)}, "
            f"{processes.whereabouts(process)}"
            for process in processes.Table().under(os.getpid())]


def report(harness, outcomes, done, seconds, seed):
    """Prints the summary."""
    watch = harness.watch
    print(f"\n{done} cycles in {seconds:.0f} s, seed {seed}")
    print(f"{'seconds to a clean state':<44} {'kills':>6} {'median':>7} "
          f"{'p99':>7} {'max':>7}")
    for (kind, side), values in sorted(watch.seconds.items()):
        values.sort()
        print(f"{side + ': ' + kind:<44} {len(values):>6} "
              f"{statistics.median(values):>7.2f} "
              f"{values[len(values) * 99 // 100]:>7.2f} {values[-1]:>7.2f}")
    print(f"{len(harness.load.names)} jobs: " + ", ".join(
        f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    counts = watch.counts
    print(f"orphans {counts['orphan']}, zombies {counts['zombie']}, "
          f"lost {counts['lost']}, twice {counts['twice']}, "
          f"faults {len(watch.faults)}", flush=True)


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=2000,
                        help="kills (2000)")
    parser.add_argument("--seconds", type=float,
                        help="end after that many seconds of kills (never)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6),
                        help="of all choices (random); the times are not in it")
    return parser.parse_args()


def main():
    """Returns the exit status."""
    options = parse()
    print(f"seed {options.seed}", flush=True)
    draw = random.Random(options.seed)
    processes.become_subreaper()
    cluster = Cluster(local_slots=SLOTS)
    load = Load(cluster.dir, draw)
    catalog = cluster.dir / "catalog.textproto"
    catalog.write_text(load.catalog())
    cluster.flags.append(f"--catalog={catalog}")
    with cluster:
        harness = Harness(cluster, load, draw)
        harness.start_external()
        done, seconds = harness.run(options.cycles, options.seconds)
        harness.drain()
        outcomes = harness.judge()
        if harness.watch.faults:
            log = cluster.log().splitlines()[-LOG_LINES:]
            print("\n".join(log), file=sys.stderr)
    harness.reap()
    for leftover in leftovers():
        harness.watch.fault("orphan", f"left over in the end: {leftover}")
    report(harness, outcomes, done, seconds, options.seed)
    return 1 if harness.watch.faults else 0


if __name__ == "__main__":
    sys.exit(main())

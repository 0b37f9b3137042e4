"""Watches what must die after a kill, and that nothing else is left over.

Two ways that do not trust each other: of each kill, what lived under the killed
just before it; and at any time every process below this one or with the
cluster's mark that is in no living slot's tree.
"""
import collections
import time

import processes

CLEAN_MAX = 2.0  # seconds from a kill until nothing is left of it
# Whoever was late is looked at this long again: to say whether it ever goes.
LATE_MAX = 10.0  # seconds

LOCAL, EXTERNAL = "local", "external"


class Kill:
    """One kill, and what has to be gone after it."""

    def __init__(self, number, kind, side, since, victims):
        self.number = number
        self.kind = kind
        self.side = side
        # Monotonic time from which it counts; None: from the start of the
        # worker's successor, which is not there yet.
        self.since = since
        # Descriptions by process.
        self.victims = victims
        self.late = False

    def __str__(self):
        return f"kill {self.number} ({self.kind}, {self.side})"


class Watch:
    """What is left of a cluster's killed processes; loop thread only."""

    def __init__(self, harness_pid, mark):
        self.harness_pid = harness_pid
        self.marks = processes.Marks(mark)
        self.kills = []
        # Seconds to a clean state, by kind and side.
        self.seconds = collections.defaultdict(list)
        # When a process outside of all slots' trees was seen first.
        self.strays = {}
        self.reported = set()
        # Texts of what must not be, and how many there are of each kind.
        self.faults = []
        self.counts = collections.Counter()
        # When the external worker was started last; None: there is none.
        self.successor_start = None

    def fault(self, kind, text):
        """Notes and prints what must not be."""
        self.faults.append(text)
        self.counts[kind] += 1
        print(f"FAULT: {text}", flush=True)

    # --- what lived under a kill
    def leave_to_successor(self, table, worker, slots):
        """The external worker was killed. What is still to die and in none of
        these slots' trees has nobody above it from now on."""
        kept = {process.key for slot in slots
                for process in table.under(slot.key.pid)}
        kept.update(process.key for process in [worker, *slots])
        for kill in [kill for kill in self.kills if kill.side == EXTERNAL]:
            left = {key: text for key, text in kill.victims.items()
                    if key not in kept}
            if left and kill.since is not None:
                for key in left:
                    del kill.victims[key]
                self.kills.append(Kill(
                    kill.number, f"{kill.kind}, left to init", EXTERNAL, None,
                    left))

    def successor_starts(self, now):
        """The external worker is started again at this moment."""
        self.successor_start = now
        for kill in self.kills:
            if kill.since is None:
                kill.since = now

    def check_kills(self, now):
        """Looks whether what has to be gone is gone."""
        for kill in self.kills:
            if kill.since is None or not kill.victims:
                continue
            last = {}
            for key in list(kill.victims):
                process = processes.find(key)
                if process is None:
                    del kill.victims[key]
                else:
                    last[key] = process
            passed = now - kill.since
            if last and passed > CLEAN_MAX and not kill.late:
                kill.late = True
                self.report_late(kill, last, passed)
            elif not last:
                self.seconds[kill.kind, kill.side].append(passed)
            if last and passed > LATE_MAX:
                kill.victims.clear()
            elif not last and kill.late:
                print(f"{kill}: clean after {passed:.2f} s", flush=True)
        self.kills = [kill for kill in self.kills if kill.victims]

    def report_late(self, kill, last, passed):
        """Says what is left of a kill that should be gone."""
        for key, process in last.items():
            self.reported.add(key)
            self.fault(
                kind_of(process),
                f"{passed:.2f} s after {kill} there is {kind_of(process)} "
                f"{kill.victims[key]}, {processes.whereabouts(process)}")

    # --- what is left over, whoever's it was
    def check_strays(self, table, coordinator, worker, now):
        """Sees that all of the cluster is where it belongs."""
        ours = {process.key: process for process in table.under(
            self.harness_pid)}
        ours.update((process.key, process)
                    for process in self.marks.bearers(table)
                    if process.key.pid != self.harness_pid)
        for key in belonging(table, coordinator, worker):
            ours.pop(key, None)
        self.strays = {key: self.strays.get(key, now) for key in ours}
        under_coordinator = {process.key
                             for process in table.under(coordinator)}
        for key, since in self.strays.items():
            if key not in under_coordinator:
                # Left to init: the external worker's successor cleans up.
                if self.successor_start is None:
                    continue
                since = max(since, self.successor_start)
            if key in self.reported or now - since <= CLEAN_MAX:
                continue
            self.reported.add(key)
            what = ("a zombie" if ours[key].dead
                    else "in no living slot's tree")
            self.fault(
                kind_of(ours[key]),
                f"{now - since:.2f} s {what}: {processes.describe(key)}, "
                f"{processes.whereabouts(ours[key])}")


def kind_of(process):
    """What a process is that should be gone."""
    return "zombie" if process.dead else "orphan"


def slots_of(table, worker_pid):
    """The living slots of a worker."""
    return [child for child in table.children_of(worker_pid)
            if child.name == "vigil-slot"]


def belonging(table, coordinator, worker):
    """The keys of all that belongs to a cluster: its programs, and all that
    lives in the trees of living slots."""
    for pid in (coordinator, worker):
        if pid in table.processes and not table.processes[pid].dead:
            yield table.processes[pid].key
    workers = [worker]
    for child in table.children_of(coordinator):
        if child.name == "worker":
            yield child.key
            workers.append(child.key.pid)
    for pid in workers:
        for slot in slots_of(table, pid):
            yield slot.key
            # A zombie is where it belongs only until somebody reaps it.
            for process in table.under(slot.key.pid):
                if not process.dead:
                    yield process.key

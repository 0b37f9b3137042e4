"""Looks for processes and zombies that nobody answers for any more.

Whoever is in the tree of a living slot belongs to it; anyone else below the
harness, or with the run's mark, must soon be gone. How soon counts from when
its worker runs and nothing holds that up: until then nobody can clean up.
"""
import pathlib
import time

import processes
from watch import kind_of, slots_of

CLEAN_MAX = 3.0  # seconds, from the worker's being well or started again
# Whose worker is not known: a worker's absence, and its start.
UNKNOWN_MAX = 20.0


def worker_id_of(key):
    """The worker that a task belongs to, by its environment."""
    try:
        environ = pathlib.Path(f"/proc/{key.pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    for entry in environ.split(b"\0"):
        if entry.startswith(b"VIGIL_WORKER_ID="):
            return entry.split(b"=", 1)[1].decode()
    return None


class Strays:
    """Strays of a cluster; loop thread only."""

    def __init__(self, hosts, harness_pid, mark):
        self.hosts = hosts
        self.harness_pid = harness_pid
        self.marks = processes.Marks(mark)
        # By process: when it was seen first, and its worker's name or None.
        self.seen = {}
        self.reported = set()
        # Kind and text of each that stayed.
        self.faults = []

    def scan(self):
        """Looks at all processes once; notes who stayed too long."""
        now = time.monotonic()
        table = processes.Table()
        found = self.find(table)
        self.seen = {
            key: self.seen.get(key) or (now, self.owner(table, found[key]))
            for key in found}
        for key, (since, owner) in self.seen.items():
            if key in self.reported:
                continue
            if owner is None:
                passed, bound = now - since, UNKNOWN_MAX
            elif self.hosts.hosts[owner].calm_since is None:
                continue
            else:
                since = max(since, self.hosts.hosts[owner].calm_since)
                passed, bound = now - since, CLEAN_MAX
            if passed > bound:
                self.report(found[key], passed, owner)

    def report(self, process, passed, owner):
        """Notes one that stayed."""
        self.reported.add(process.key)
        self.faults.append((
            kind_of(process),
            f"{passed:.1f} s after {owner or 'its worker'} could have ended "
            f"it there is {processes.describe(process.key)}, "
            f"{processes.whereabouts(process)}"))

    def find(self, table):
        """All of ours that belong to nothing, by key."""
        ours = {process.key: process
                for process in table.under(self.harness_pid)}
        ours.update((process.key, process)
                    for process in self.marks.bearers(table)
                    if process.key.pid != self.harness_pid)
        for host in self.hosts.hosts.values():
            program = table.processes.get(host.pid)
            if program is None or program.dead:
                continue
            ours.pop(program.key, None)
            for slot in slots_of(table, host.pid):
                ours.pop(slot.key, None)
                for process in table.under(slot.key.pid):
                    if not process.dead:
                        ours.pop(process.key, None)
        return ours

    def owner(self, table, process):
        """The name of the worker that has to end it, or None."""
        by_pid = {host.pid: host.name for host in self.hosts.worker_hosts
                  if host.pid}
        by_id = {self.hosts.worker_id(host): host.name
                 for host in self.hosts.worker_hosts}
        while process is not None and process.key.pid != self.harness_pid:
            name = (by_pid.get(process.key.pid)
                    or by_id.get(worker_id_of(process.key)))
            if name:
                return name
            process = table.processes.get(process.parent)
        return None

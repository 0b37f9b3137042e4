"""One fault of each kind, put in to see that it is found."""
import os
import subprocess
import time

from cluster import PYTHON, State
from load import HOLDER
from verdict import Stored

KINDS = {"lost", "told", "twice", "phantom", "orphan", "zombie"}
HELD_TWICE = "forged"
SECONDS = 120
LOCK_MAX = 30.0  # seconds until a process has started and taken its lock


class Forgery:
    """Processes and records that must not be. Loop thread only."""

    def __init__(self, hosts, load):
        self.hosts = hosts
        self.load = load
        self.children = []

    def start(self, *argv):
        """A process that says it is a worker's task, and is in no slot."""
        worker = self.hosts.worker_id(self.hosts.worker_hosts[0])
        environment = {**os.environ, "VIGIL_FENCE": "1",
                       "VIGIL_WORKER_ID": worker, "CLUSTER":
                       str(self.hosts.dir)}
        self.children.append(subprocess.Popen(
            list(map(str, argv)), env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def start_strays(self):
        """An orphan with a zombie, and two holders of one job's lock."""
        self.start("/bin/sh", "-c", f"true & exec sleep {SECONDS}")
        holder = [PYTHON, "-IS", HOLDER, self.load.journal, self.load.locks,
                  HELD_TWICE, SECONDS]
        for word in ("start", "twice"):
            self.start(*holder)
            end = time.monotonic() + LOCK_MAX
            while not any(note == word for note, _ in
                          self.load.read_journal()[HELD_TWICE]):
                if time.monotonic() > end:
                    raise AssertionError(f"no holder said `{word}`")
                time.sleep(0.02)

    def end_strays(self):
        """Takes them away."""
        for child in self.children:
            child.kill()
            child.wait()

    def forge(self, journal, notes, stored):
        """Puts lies into what is judged: `forged` becomes a real job's name,
        others are lost, ended otherwise, or say what nobody wrote."""
        good = [job_id for job_id, entry in stored.items()
                if entry.job.state == State.STATE_SUCCEEDED]
        if len(good) < 3:
            raise AssertionError("too few jobs to forge")
        name = stored[good[0]].job.request_id
        notes[name] += notes.pop(HELD_TWICE)
        journal.acknowledged["no-such-job"] = "lost0"
        journal.told.append((good[1], State.STATE_FAILED, "nobody"))
        stored[good[2]] = Stored(stored[good[2]].job, b"nobody wrote this\n")

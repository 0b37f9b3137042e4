"""What the tests of dying workers and coordinators share.

Every task holds a lock for life (hold_lock.py) and keeps a journal, in which
"twice" would tell of two attempts at one time.
"""
import itertools
import pathlib
import unittest

from cluster import PYTHON, TASKS, Phase, Reason, State, processes_with

# Short, so that a lost worker is soon given up.
LEASE = ["--lease=2s", "--heartbeat_interval=500ms", "--lease_margin=1.5s"]


def parent_of(pid):
    """The parent's pid."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rsplit(")", 1)[1].split()[1])


class LossTestCase(unittest.TestCase):
    """Shorthands for jobs that hold a lock."""

    numbers = itertools.count()

    def holder(self, cluster, hold, **options):
        """A job that holds a lock, with a stubborn child beside it."""
        name = f"holder{next(self.numbers)}"
        self.journal = cluster.dir / f"{name}.journal"
        script = ('(trap "" TERM HUP INT; while :; do sleep 1; done) & '
                  'exec "$@"')
        return cluster.command(
            "/bin/sh", "-c", script, "sh", PYTHON, f"{TASKS}/hold_lock.py",
            cluster.dir / f"{name}.lock", self.journal, hold,
            max_processes=100, **options)

    def notes(self):
        """The journal's lines."""
        return self.journal.read_text().splitlines()

    def wait_started(self, cluster, job_id):
        """Waits until the lock is held; returns the pids of the tree."""
        cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        return self.tree()

    def tree(self):
        """The live processes of the job."""
        return processes_with(str(self.journal))

    def holder_pid(self):
        """The pid of hold_lock.py itself."""
        for pid in self.tree():
            line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
            if line.startswith(PYTHON.encode()):
                return pid
        raise AssertionError("no holder")

    def assert_second_attempt(self, job):
        """The first attempt was lost with its worker; the second succeeded."""
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        first, second = job.attempts
        self.assertEqual(first.failure.reason, Reason.REASON_WORKER_LOST)
        self.assertFalse(first.charged)
        self.assertFalse(second.HasField("failure"))
        self.assertEqual(self.notes(), ["start 1", "start 2", "end 2"])
        self.assertEqual(self.tree(), [])

"""Processes that stand still for a while, each alone and all at once as when a
machine is paused: shorter than the lease, nothing that was alive is ended. (For
longer ones see worker_stop_test.py.)
"""
import os
import signal
import time
import unittest

from cluster import (
    PYTHON, Cluster, Phase, State, alive, processes_with, wait_until)
from loss_case import LossTestCase, parent_of

LEASE = ["--lease=9s", "--heartbeat_interval=500ms", "--lease_margin=1.6s"]
# Longer than any clock of silence of the job, shorter than the lease.
SHORT = 2.5


class StallTest(LossTestCase):

    def stand_still(self, pids, seconds):
        """Stops processes, children first, and has them go on."""
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            # Nothing can be waited for: nothing is to happen.
            time.sleep(seconds)
        finally:
            for pid in reversed(pids):
                os.kill(pid, signal.SIGCONT)

    def test_A1_a_stall_shorter_than_the_lease_ends_nothing(self):
        with Cluster(local_slots=0, flags=LEASE) as cluster:
            worker = cluster.start_worker("w")
            wait_until(lambda: cluster.get_status().slots_total == 1, "w")
            session = cluster.get_status().workers[0].session_id
            gate = cluster.dir / "go"
            job_id = cluster.submit(cluster.command(
                PYTHON, "-c",
                "import os, time\n"
                f"while not os.path.exists({str(gate)!r}):\n"
                "    print('on', flush=True)\n"
                "    time.sleep(0.05)", inactivity=1.2, startup=5))
            cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
            task = next(pid for pid in self.pids_of(cluster)
                        if self.is_task(pid, worker.pid))
            slot = parent_of(task)
            coordinator = cluster.coordinator.pid
            for name, pids in (
                    ("coordinator", [coordinator]), ("worker", [worker.pid]),
                    ("slot", [slot]),
                    ("machine", [task, slot, worker.pid, coordinator])):
                with self.subTest(stalled=name):
                    before = self.tokens(cluster, job_id)
                    self.stand_still(pids, SHORT)
                    wait_until(lambda: self.tokens(cluster, job_id) > before,
                               "it goes on")
                    self.assertTrue(alive(task))
            gate.touch()
            job = cluster.finish(job_id)
            self.assertEqual((job.state, len(job.attempts)),
                             (State.STATE_SUCCEEDED, 1), job)
            status = cluster.get_status()
            self.assertEqual((status.attempts_lost, status.fenced,
                              status.workers[0].session_id), (0, 0, session))

    @staticmethod
    def pids_of(cluster):
        """Everything that runs for the test's cluster."""
        return processes_with(str(cluster.dir))

    @staticmethod
    def is_task(pid, worker):
        """Whether a process is the child of one of the worker's slots."""
        try:
            return parent_of(parent_of(pid)) == worker
        except (FileNotFoundError, ProcessLookupError):
            return False

    @staticmethod
    def tokens(cluster, job_id):
        """Output read so far."""
        return cluster.get(job_id).attempts[-1].stdout_bytes


if __name__ == "__main__":
    unittest.main()

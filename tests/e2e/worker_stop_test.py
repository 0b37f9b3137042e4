"""Workers and slots that are stopped (SIGSTOP) with short leases: what ran
there is dead at the lease, runs elsewhere only then, and nothing is charged for
it.
"""
import os
import pathlib
import signal
import unittest

from cluster import Cluster, Reason, State, alive, wait_until
from loss_case import LEASE, LossTestCase, parent_of


def state_of(pid):
    """The kernel's letter for a process: T is stopped."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return stat.rsplit(")", 1)[1].split()[0]


class StoppedWorkerTest(LossTestCase):

    def test_A6_task_of_a_stopped_worker_is_dead_at_the_lease(self):
        with Cluster(local_slots=0, flags=LEASE) as cluster:
            cluster.start_worker("w1")
            wait_until(lambda: cluster.get_status().slots_total == 1, "w1")
            first = cluster.get_status().workers[0]
            job_id = cluster.submit(self.holder(cluster, 4))
            tree = self.wait_started(cluster, job_id)
            self.assertGreater(len(tree), 1)
            os.kill(first.pid, signal.SIGSTOP)
            cluster.start_worker("w2")
            wait_until(lambda: not any(map(alive, tree)), "the tree is dead")
            # Its slot killed it: the worker could not.
            self.assertEqual(state_of(first.pid), "T")

            job = cluster.finish(job_id)
            self.assert_second_attempt(job)
            self.assertNotEqual(job.attempts[1].worker_id, first.worker_id)
            self.assertEqual(state_of(first.pid), "T")

            # Continued, it is fenced, and of use again as a new session.
            os.kill(first.pid, signal.SIGCONT)

            def back():
                sessions = {w.worker_id: w.session_id
                            for w in cluster.get_status().workers}
                session = sessions.get(first.worker_id, first.session_id)
                return session if session != first.session_id else None
            session = wait_until(back, "a new session")
            cluster.workers[1].terminate()
            cluster.workers[1].wait()
            job, out, _ = cluster.run(cluster.command("/bin/echo", "again"))
            self.assertEqual((job.state, out),
                             (State.STATE_SUCCEEDED, b"again\n"))
            self.assertEqual(job.attempts[0].session_id, session)

    def test_A6_a_single_attempt_is_never_started_a_second_time(self):
        with Cluster(local_slots=0, flags=LEASE) as cluster:
            cluster.start_worker("w1")
            job_id = cluster.submit(
                self.holder(cluster, 60, maximum_attempts=1))
            self.wait_started(cluster, job_id)
            os.kill(cluster.get_status().workers[0].pid, signal.SIGSTOP)
            cluster.start_worker("w2")
            job = cluster.finish(job_id)
            self.assertEqual(job.state, State.STATE_FAILED)
            self.assertEqual(job.failure.reason, Reason.REASON_WORKER_LOST)
            self.assertEqual(len(job.attempts), 1)
            self.assertEqual(self.notes(), ["start 1"])

    def test_A3_a_stopped_local_worker_is_replaced(self):
        with Cluster(local_slots=1, flags=LEASE) as cluster:
            job_id = cluster.submit(self.holder(cluster, 4))
            self.wait_started(cluster, job_id)
            os.kill(cluster.local_worker_pid(), signal.SIGSTOP)
            self.assert_second_attempt(cluster.finish(job_id))
            self.assertEqual(cluster.get_status().local_workers_replaced, 1)

    def test_A3_a_stopped_slot_is_replaced(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(self.holder(cluster, 8))
            tree = self.wait_started(cluster, job_id)
            os.kill(parent_of(self.holder_pid()), signal.SIGSTOP)
            self.assert_second_attempt(cluster.finish(job_id))
            self.assertFalse(any(map(alive, tree)))


if __name__ == "__main__":
    unittest.main()

"""kill -9 of workers, slots and coordinators, and restarts: what ran is proved
dead before it runs again, what need not die goes on, and nothing is left over.
"""
import os
import signal
import time
import unittest

from cluster import Cluster, State, alive, wait_until
from loss_case import LEASE, LossTestCase, parent_of


class KilledWorkerTest(LossTestCase):

    def test_A3_kill_9_of_a_local_worker(self):
        # With the default lease of 30 s: its death is seen, not waited for.
        with Cluster(local_slots=2) as cluster:
            job_id = cluster.submit(self.holder(cluster, 1.5))
            tree = self.wait_started(cluster, job_id)
            start = time.monotonic()
            os.kill(cluster.local_worker_pid(), signal.SIGKILL)
            job = cluster.finish(job_id)
            self.assertLess(time.monotonic() - start, 28)
            self.assert_second_attempt(job)
            self.assertFalse(any(map(alive, tree)))
            wait_until(lambda: cluster.get_status().slots_total == 2,
                       "the slots are back")
            status = cluster.get_status()
            self.assertEqual(status.local_workers_replaced, 1)
            self.assertEqual(status.attempts_lost, 1)

    def test_A3_kill_9_of_an_external_worker_and_its_successor(self):
        with Cluster(local_slots=0, flags=LEASE) as cluster:
            worker = cluster.start_worker("w")
            job_id = cluster.submit(self.holder(cluster, 4))
            tree = self.wait_started(cluster, job_id)
            worker.kill()
            worker.wait()
            wait_until(lambda: not any(map(alive, tree)), "the tree is dead")
            cluster.start_worker("w")
            job = cluster.finish(job_id)
            self.assert_second_attempt(job)
            self.assertEqual(job.attempts[0].worker_id,
                             job.attempts[1].worker_id)

    def test_A3_kill_9_of_a_slot(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(self.holder(cluster, 1.5))
            tree = self.wait_started(cluster, job_id)
            slot = parent_of(self.holder_pid())
            self.assertEqual(parent_of(slot), cluster.local_worker_pid())
            os.kill(slot, signal.SIGKILL)
            job = cluster.finish(job_id)
            self.assert_second_attempt(job)
            self.assertFalse(any(map(alive, tree)))
            # The worker went on, with a new slot.
            self.assertEqual(job.attempts[0].session_id,
                             job.attempts[1].session_id)
            self.assertEqual(cluster.get_status().local_workers_replaced, 0)


class CoordinatorRestartTest(LossTestCase):

    def test_A3_an_orderly_restart_ends_no_task_of_an_external_worker(self):
        with Cluster(local_slots=0) as cluster:
            cluster.start_worker("w")
            job_id = cluster.submit(self.holder(cluster, 3))
            self.wait_started(cluster, job_id)
            epoch = cluster.get_status().epoch
            self.assertEqual(cluster.terminate(), 0)
            cluster.start()
            self.assertGreater(cluster.get_status().epoch, epoch)
            job = cluster.finish(job_id)
            self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
            self.assertEqual(len(job.attempts), 1)
            self.assertEqual(self.notes(), ["start 1", "end 1"])

    def test_A3_an_end_while_the_coordinator_is_away_is_not_lost(self):
        with Cluster(local_slots=0) as cluster:
            cluster.start_worker("w")
            job_id = cluster.submit(self.holder(cluster, 1))
            self.wait_started(cluster, job_id)
            cluster.kill()
            wait_until(lambda: "end 1" in self.notes(), "the task ends")
            cluster.start()
            job = cluster.finish(job_id)
            self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
            self.assertEqual(len(job.attempts), 1)
            self.assertEqual(self.notes(), ["start 1", "end 1"])

    def test_A3_kill_9_of_a_coordinator_takes_its_local_worker_along(self):
        with Cluster(local_slots=1, flags=LEASE) as cluster:
            job_id = cluster.submit(self.holder(cluster, 1.5))
            tree = self.wait_started(cluster, job_id)
            cluster.kill()
            wait_until(lambda: not any(map(alive, tree)), "the tree is dead")
            cluster.start()
            self.assert_second_attempt(cluster.finish(job_id))


if __name__ == "__main__":
    unittest.main()

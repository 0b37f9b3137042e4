"""A coordinator whose store went back in time, and workers that did not: what
they run is ended before anything of it is started again.
"""
import subprocess
import unittest

from cluster import COORDINATOR, PATIENCE, Cluster, State, wait_until
from loss_case import LEASE, LossTestCase

from vigil.v1 import worker_service_pb2


class RestoreFenceTest(LossTestCase):

    def copy(self, cluster, flag):
        """Backs up, or restores."""
        subprocess.run(
            [COORDINATOR, f"--data_dir={cluster.data_dir}",
             f"--{flag}={cluster.dir}/copy"], stdin=subprocess.DEVNULL,
            check=True, timeout=PATIENCE, capture_output=True)

    def test_S10_what_ran_for_the_lost_store_never_runs_beside_its_copy(self):
        with Cluster(local_slots=0, flags=LEASE) as cluster:
            # Queued as far as the backup knows.
            job_id = cluster.submit(self.holder(cluster, 3))
            self.copy(cluster, "backup")
            cluster.start_worker("w1")
            self.wait_started(cluster, job_id)
            session = cluster.get_status().workers[0].session_id
            cluster.kill()
            self.copy(cluster, "restore")
            # Another worker is free at once, and must wait.
            cluster.start_worker("w2")
            cluster.start()
            job = cluster.finish(job_id)
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            # It is attempt 1 for both stores, and the lock tells them apart.
            self.assertEqual(len(job.attempts), 1)
            self.assertNotIn("twice 1", self.notes())
            self.assertEqual(self.notes()[-2:], ["start 1", "end 1"])
            # What the old store's session had run is not what is reported.
            self.assertNotEqual(job.attempts[0].session_id, session)
            self.assertGreater(cluster.get_status().fenced, 0)
            # It is of use again, as a new session.
            wait_until(lambda: sum(
                worker.state == worker.STATE_CONNECTED
                for worker in cluster.worker_service.ListWorkers(
                    worker_service_pb2.ListWorkersRequest()).workers) == 2,
                "both workers are there")


if __name__ == "__main__":
    unittest.main()

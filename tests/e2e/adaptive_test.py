"""Proves that a worker uses fewer of its slots after exhaustion, and that one
sees why (row B9). How: programs that end as those do that find no threads. That
the slots come back is proved in simulated time, beside the code.
"""
import unittest

from cluster import PYTHON, Cluster, Phase, Reason, State, wait_until
from vigil.v1 import worker_service_pb2

# As a Python program ends that may have no more threads.
NO_THREADS = "import sys; sys.exit(\"RuntimeError: can't start new thread\")"


class AdaptiveTest(unittest.TestCase):

    def workers(self, cluster):
        """ListWorkers."""
        return cluster.worker_service.ListWorkers(
            worker_service_pb2.ListWorkersRequest()).workers

    def wait_usable(self, cluster, slots, worker=0):
        """Waits until so many slots are usable; returns the worker."""
        def there():
            found = self.workers(cluster)[worker]
            return found if found.usable_slots.slots == slots else None
        return wait_until(there, f"{slots} slots are usable")

    def exhaust(self, cluster):
        """A job that runs out of threads once; its id."""
        job, _, _ = cluster.run(
            cluster.command(PYTHON, "-c", NO_THREADS, maximum_attempts=1))
        self.assertEqual(job.state, State.STATE_FAILED)
        self.assertEqual(job.failure.reason, Reason.REASON_RESOURCE_EXHAUSTED)
        return job.job_id

    def test_B9_exhaustion_halves_the_slots_and_says_why(self):
        with Cluster(local_slots=4) as cluster:
            worker = self.wait_usable(cluster, 4)
            self.assertEqual(worker.usable_slots.cause, "")
            job_id = self.exhaust(cluster)
            worker = self.wait_usable(cluster, 2)
            self.assertEqual(worker.slots_max, 4)
            self.assertIn(job_id, worker.usable_slots.cause)
            self.assertIn("RESOURCE_EXHAUSTED", worker.usable_slots.cause)
            (shown,) = cluster.status_json()["workers"]
            self.assertEqual(shown["usable_slots"]["slots"], 2)
            self.assertIn("attempt 1 of job " + job_id,
                          shown["usable_slots"]["cause"])
            self.assertIn("uses 2 of 4 slots: ", cluster.log())
            # Down to one, and that one works.
            self.exhaust(cluster)
            self.wait_usable(cluster, 1)
            self.exhaust(cluster)
            job, _, _ = cluster.run(cluster.command("/bin/true"))
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            self.wait_usable(cluster, 1)

    def test_B9_no_more_run_at_once_than_slots_are_usable(self):
        with Cluster(local_slots=4) as cluster:
            self.exhaust(cluster)
            self.wait_usable(cluster, 2)
            jobs = [cluster.submit(cluster.command("/bin/sleep", 600,
                                                   shutdown_grace=0))
                    for _ in range(4)]

            def running():
                return [job for job in jobs
                        if cluster.get(job).state == State.STATE_RUNNING]
            wait_until(lambda: len(running()) == 2, "two run")
            for job in jobs:
                waits = cluster.get(job)
                if waits.state == State.STATE_QUEUED:
                    self.assertEqual(waits.waiting_reason,
                                     State.WAITING_REASON_SLOTS_BUSY)
            first, second = running()
            cluster.cancel(first)
            cluster.finish(first)
            wait_until(lambda: len(running()) == 2, "another one runs")
            self.assertIn(second, running())
            for job in jobs:
                cluster.cancel(job)

    def test_B9_what_runs_goes_on(self):
        with Cluster(local_slots=4) as cluster:
            jobs = [cluster.submit(cluster.talker("out:go", 600,
                                                  shutdown_grace=0))
                    for _ in range(3)]
            for job in jobs:
                cluster.wait_phase(job, Phase.PHASE_ACTIVE)
            self.exhaust(cluster)
            self.wait_usable(cluster, 2)
            for job in jobs:
                self.assertEqual(cluster.get(job).state, State.STATE_RUNNING)
                self.assertEqual(len(cluster.get(job).attempts), 1)
            for job in jobs:
                cluster.cancel(job)

    def test_B9_a_restarted_coordinator_learns_it_from_the_worker(self):
        with Cluster(local_slots=0) as cluster:
            cluster.start_worker("w", slots=4)
            wait_until(lambda: cluster.get_status().slots_total == 4,
                       "the worker attaches")
            job_id = self.exhaust(cluster)
            self.wait_usable(cluster, 2)
            cluster.kill()
            cluster.start()
            wait_until(lambda: cluster.get_status().slots_total == 4,
                       "the worker attaches again")
            worker = self.wait_usable(cluster, 2)
            self.assertIn(job_id, worker.usable_slots.cause)

    def test_B9_fewer_slots_than_are_usable_are_all_usable(self):
        with Cluster(local_slots=4) as cluster:
            self.exhaust(cluster)
            worker = self.wait_usable(cluster, 2)
            cluster.set_slots(worker.worker_id, 1)
            worker = self.wait_usable(cluster, 1)
            self.assertEqual(worker.usable_slots.cause, "")
            cluster.set_slots(worker.worker_id, 3)
            worker = self.wait_usable(cluster, 3)
            self.assertEqual(worker.usable_slots.cause, "")


if __name__ == "__main__":
    unittest.main()

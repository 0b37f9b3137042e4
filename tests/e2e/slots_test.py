"""A10: the number of slots changes while the worker runs, up, down and to
nothing, and no task that runs is touched by it.
"""
import unittest

import grpc
from cluster import Cluster, Phase, State, refused, wait_until
from vigil.v1 import worker_service_pb2


class SlotsTest(unittest.TestCase):

    def start(self, cluster, count):
        """Jobs that run until they are cancelled; returns their ids."""
        return [cluster.submit(cluster.talker("6000*0.1"))
                for _ in range(count)]

    @staticmethod
    def busy(cluster, ids):
        """How many of the jobs run."""
        return sum(cluster.get(job_id).state == State.STATE_RUNNING
                   for job_id in ids)

    def wait_busy(self, cluster, ids, count):
        wait_until(lambda: self.busy(cluster, ids) == count,
                   f"{count} jobs run")

    def test_A10_slots_go_up_and_down_while_tasks_run(self):
        with Cluster(local_slots=1) as cluster:
            worker = cluster.get_status().workers[0].worker_id
            ids = self.start(cluster, 4)
            self.wait_busy(cluster, ids, 1)

            self.assertEqual(cluster.set_slots(worker, 3).slots_max, 3)
            self.wait_busy(cluster, ids, 3)
            self.assertEqual(cluster.get_status().slots_total, 3)

            # Down: all three go on; none of the places is given to the fourth.
            self.assertEqual(cluster.set_slots(worker, 1).slots_max, 1)
            self.assertEqual(cluster.get_status().slots_total, 1)
            running = [job_id for job_id in ids
                       if cluster.get(job_id).state == State.STATE_RUNNING]
            tokens = {job_id: cluster.get(job_id).attempts[0].tokens
                      for job_id in running}
            for job_id in running:
                wait_until(lambda job_id=job_id: cluster.get(
                    job_id).attempts[0].tokens > tokens[job_id] + 5,
                           "it goes on above the lowered number")
            for job_id in running[:2]:
                cluster.cancel(job_id)
                cluster.finish(job_id)
            self.assertEqual(self.busy(cluster, ids), 1)
            cluster.cancel(running[2])
            self.assertEqual(cluster.finish(running[2]).state,
                             State.STATE_CANCELLED)
            self.wait_busy(cluster, ids, 1)

            # Not one was started a second time.
            self.assertEqual(
                {len(cluster.get(job_id).attempts) for job_id in ids}, {1})
            for job_id in ids:
                cluster.cancel(job_id)

    def test_A10_no_slots_at_all_and_back(self):
        with Cluster(local_slots=1) as cluster:
            worker = cluster.get_status().workers[0].worker_id
            ids = self.start(cluster, 1)
            cluster.wait_phase(ids[0], Phase.PHASE_ACTIVE)
            cluster.set_slots(worker, 0)
            waiting = cluster.submit(cluster.command("/bin/echo", "late"))
            self.assertEqual(cluster.get(ids[0]).state, State.STATE_RUNNING)
            cluster.cancel(ids[0])
            cluster.finish(ids[0])
            self.assertEqual(cluster.get(waiting).state, State.STATE_QUEUED)
            cluster.set_slots(worker, 2)
            self.assertEqual(cluster.finish(waiting).state,
                             State.STATE_SUCCEEDED)
            self.assertEqual(cluster.get_status().slots_total, 2)

    def test_A10_what_cannot_be_is_refused(self):
        with Cluster(local_slots=1) as cluster:
            worker = cluster.get_status().workers[0].worker_id
            for slots in (-1, 1025):
                error = refused(
                    cluster.worker_service.SetWorkerSlots,
                    worker_service_pb2.SetWorkerSlotsRequest(
                        worker_id=worker, slots=slots))
                self.assertEqual(error.code(),
                                 grpc.StatusCode.INVALID_ARGUMENT)
                self.assertIn("slots", error.details())
                self.assertIn("1024", error.details())
            error = refused(
                cluster.worker_service.SetWorkerSlots,
                worker_service_pb2.SetWorkerSlotsRequest(
                    worker_id="nobody", slots=1))
            self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)
            self.assertEqual(cluster.get_status().slots_total, 1)


if __name__ == "__main__":
    unittest.main()

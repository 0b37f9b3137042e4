"""kill -9 of the coordinator in the middle of a batch of 10,000 jobs: every job
that was acknowledged is there afterwards and ends SUCCEEDED.

The batch is submitted in pieces by SubmitJobs while the coordinator is killed
at random moments (the seed is printed) and started again; a piece whose answer
was lost is submitted again under the same request ids.
"""
import os
import random
import threading
import time
import unittest

import grpc
from vigil.v1 import job_service_pb2

from cluster import Cluster, State, wait_until

JOBS = 10_000
PIECE = 500
KILLS = 5
# Short, so that what ran at a kill is soon tried again.
LEASE = ["--lease=2s", "--heartbeat_interval=500ms", "--lease_margin=1.5s"]


class CrashBatchTest(unittest.TestCase):

    def setUp(self):
        self.seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
        print("SEED", self.seed)
        self.random = random.Random(self.seed)

    def submit_all(self, cluster, acknowledged):
        """Submits every piece, however often it takes."""
        for first in range(0, JOBS, PIECE):
            request = job_service_pb2.SubmitJobsRequest()
            for number in range(first, first + PIECE):
                request.jobs.append(cluster.command(
                    "/bin/true", request_id=f"r{number}"))

            def accepted(request=request):
                try:
                    return cluster.jobs.SubmitJobs(request).results
                except (grpc.RpcError, ValueError):  # killed, or channel closed
                    return None
            for number, result in enumerate(
                    wait_until(accepted, "a piece is accepted"), first):
                acknowledged[f"r{number}"] = result.job_id

    def test_every_acknowledged_job_of_a_batch_survives_kill_9(self):
        acknowledged = {}
        with Cluster(local_slots=2, flags=LEASE) as cluster:
            submitter = threading.Thread(
                target=self.submit_all, args=(cluster, acknowledged))
            submitter.start()
            try:
                for _ in range(KILLS):
                    time.sleep(self.random.uniform(0.05, 1.2))
                    cluster.kill()
                    cluster.start()
            finally:
                submitter.join()
            self.assertEqual(len(acknowledged), JOBS)

            def done():
                counts = {c.state: c.jobs
                          for c in cluster.get_status().states}
                return not any(counts.get(state, 0) for state in (
                    State.STATE_QUEUED, State.STATE_RUNNING,
                    State.STATE_BACKOFF))
            wait_until(done, "every job ends", 300)
            jobs = {job.job_id: job for job in cluster.list_jobs()}
            missing = [i for i in acknowledged.values() if i not in jobs]
            self.assertEqual(missing, [])
            bad = [jobs[i] for i in acknowledged.values()
                   if jobs[i].state != State.STATE_SUCCEEDED]
            self.assertEqual(bad[:3], [])
            # One job for one request id, whatever was submitted again.
            self.assertEqual(len(jobs), JOBS)
            self.assertEqual(len(set(acknowledged.values())), JOBS)
            for request_id, job_id in acknowledged.items():
                self.assertEqual(jobs[job_id].request_id, request_id)
            self.check_attempts(jobs.values())

    def check_attempts(self, jobs):
        """What a kill interrupted was tried again, uncharged."""
        for job in jobs:
            *lost, last = job.attempts
            self.assertFalse(last.HasField("failure"))
            for attempt in lost:
                self.assertFalse(attempt.charged, job)
        tried_again = sum(len(job.attempts) > 1 for job in jobs)
        print("tried again:", tried_again)


if __name__ == "__main__":
    unittest.main()

"""A database that the first release left (schema 1; written by it, see
coordinator/store/testdata): the coordinator opens it, shows every job as it
was, decides about the one that was queued, and takes new ones.
"""
import sqlite3
import unittest

from vigil.v1 import job_service_pb2

from cluster import Cluster, Reason, State

SCHEMA1 = "coordinator/store/testdata/schema1.sql"


class OldStoreTest(unittest.TestCase):

    def test_jobs_of_the_first_release_are_there(self):
        cluster = Cluster(local_slots=1)
        cluster.data_dir.mkdir(mode=0o700)
        database = sqlite3.connect(cluster.data_dir / "jobs.db")
        with open(SCHEMA1, encoding="utf-8") as script:
            database.executescript(script.read())
        database.close()
        with cluster:
            jobs = {job.request_id: job for job in cluster.list_jobs()}
            self.assertEqual(
                {name: job.state for name, job in jobs.items()
                 if name != "queued"},
                {"succeeded": State.STATE_SUCCEEDED,
                 "failed": State.STATE_FAILED, "retried": State.STATE_FAILED,
                 "typed": State.STATE_SUCCEEDED,
                 "cancelled": State.STATE_CANCELLED})
            failed = jobs["failed"]
            self.assertEqual(failed.failure.reason,
                             Reason.REASON_NONZERO_EXIT)
            self.assertEqual(len(jobs["retried"].attempts), 2)
            self.assertEqual(
                list(cluster.get(failed.job_id).spec.command.argv),
                ["/bin/sh", "-c", "echo half; exit 3"])
            output = cluster.jobs.ReadOutput(
                job_service_pb2.ReadOutputRequest(job_id=failed.job_id))
            self.assertEqual([piece.data for piece in output.output],
                             [b"half\n"])
            # It waited for longer than its own deadline, 24 h; on a machine
            # whose clock stands at that time it runs.
            queued = cluster.finish(jobs["queued"].job_id)
            if queued.state != State.STATE_SUCCEEDED:
                self.assertEqual(queued.failure.reason,
                                 Reason.REASON_SCHEDULE_TO_CLOSE_TIMEOUT)
            # The same request again is the same job, not a new one.
            request = cluster.command("/bin/sh", "-c", "echo half; exit 3",
                                      request_id="failed")
            request.spec.command.env.clear()
            answer = cluster.jobs.SubmitJob(request)
            self.assertTrue(answer.existed)
            self.assertEqual(answer.job.job_id, failed.job_id)
            job, out, _ = cluster.run(cluster.command("/bin/echo", "new"))
            self.assertEqual((job.state, out),
                             (State.STATE_SUCCEEDED, b"new\n"))


if __name__ == "__main__":
    unittest.main()

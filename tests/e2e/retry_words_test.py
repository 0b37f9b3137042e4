"""Proves that worker loss, exhaustion and task errors are counted apart, and
that each job says what became of its retries (row B3). How: real programs that
fail a known number of times, and a worker that is killed.
"""
import os
import signal
import unittest

from cluster import PYTHON, Cluster, Phase, Reason, State, wait_until

# Fails in turn as its arguments after the first say, and then works: it keeps
# count in a file.
FAILS = """
import os, sys
path, *ways = sys.argv[1:]
with open(path, "a+") as count:
    tries = count.tell()
    count.write("x")
if tries < len(ways):
    sys.exit(int(ways[tries]) if ways[tries].isdigit() else ways[tries])
"""
NO_THREADS = "RuntimeError: can't start new thread"


class RetryWordsTest(unittest.TestCase):

    def fails(self, cluster, name, *ways, **options):
        """Runs a job that fails so; returns it and what explain says."""
        job, _, _ = cluster.run(cluster.command(
            PYTHON, "-c", FAILS, cluster.dir / name, *ways,
            initial_interval=0.01, **options))
        return job, cluster.vigil("explain", job.job_id).stdout.decode()

    def test_B3_each_job_says_what_became_of_its_retries(self):
        with Cluster(local_slots=1) as cluster:
            job, words = self.fails(cluster, "a", NO_THREADS, 75)
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            self.assertIn("\nretry 2 succeeded (attempt 1: RESOURCE_EXHAUSTED, "
                          "attempt 2: TASK_ERROR)\n", words)
            job, words = self.fails(cluster, "b", 3)
            self.assertEqual(job.state, State.STATE_FAILED)
            self.assertIn("\nnot retried: NONZERO_EXIT is not in retry_on\n",
                          words)
            job, words = self.fails(cluster, "c", NO_THREADS, 3)
            self.assertIn("\nattempt 2 was not retried: NONZERO_EXIT is not in "
                          "retry_on (attempt 1: RESOURCE_EXHAUSTED, attempt 2: "
                          "NONZERO_EXIT)\n", words)
            job, words = self.fails(cluster, "d", NO_THREADS, NO_THREADS,
                                    maximum_attempts=2)
            self.assertIn("\nretries used up: 2 attempts (", words)
            job, words = self.fails(cluster, "e", NO_THREADS,
                                    maximum_attempts=1)
            self.assertIn("\nnot retried: maximum_attempts is 1\n", words)
            job, words = self.fails(cluster, "f")
            self.assertNotIn("retry 0", words)
            self.assertNotIn("retried", words)

    def test_B3_run_says_which_retry_succeeded(self):
        with Cluster(local_slots=1) as cluster:
            done = cluster.vigil(
                "run", "--maximum_attempts=3", "--", PYTHON, "-c", FAILS,
                cluster.dir / "a", NO_THREADS)
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"retry 1 succeeded (attempt 1: RESOURCE_EXHAUSTED)",
                          done.stderr)
            done = cluster.vigil("run", "--", "/bin/false")
            self.assertNotIn(b"retried", done.stderr)

    def test_B3_loss_exhaustion_and_task_errors_are_counted_apart(self):
        with Cluster(local_slots=1) as cluster:
            self.fails(cluster, "a", NO_THREADS, 75)
            job_id = cluster.submit(cluster.talker("out:go", 600))
            cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
            os.kill(cluster.local_worker_pid(), signal.SIGKILL)
            wait_until(lambda: len(cluster.get(job_id).attempts) == 2,
                       "it is tried again")
            cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
            cluster.cancel(job_id)
            job = cluster.finish(job_id)
            self.assertEqual(job.attempts[0].failure.reason,
                             Reason.REASON_WORKER_LOST)
            status = cluster.get_status()
            self.assertEqual(status.attempts_lost, 1)
            counts = {count.reason: count.attempts
                      for count in status.telemetry.reasons}
            self.assertEqual(counts, {
                Reason.REASON_UNSPECIFIED: 1,
                Reason.REASON_RESOURCE_EXHAUSTED: 1,
                Reason.REASON_TASK_ERROR: 1,
                Reason.REASON_WORKER_LOST: 1,
                Reason.REASON_CANCELLED: 1,
            })


if __name__ == "__main__":
    unittest.main()

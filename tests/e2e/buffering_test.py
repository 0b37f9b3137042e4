"""Programs that keep their output back, without help from flags, and jobs whose
clocks only observe: real programs, scaled-down clocks.
"""
import unittest

from vigil.v1 import job_service_pb2

from deadline_case import INACTIVITY, seconds
from cluster import TASKS, Cluster, Reason, State, wait_until


class BufferingTest(unittest.TestCase):
    """Programs that keep their output back, without help from flags."""

    def test_L1_a_python_program_that_does_not_flush_is_seen(self):
        script = ("import time\n"
                  "for i in range(25):\n"
                  "    time.sleep(0.1)\n"
                  "    print('token', i)\n")
        with Cluster() as cluster:
            job, out, _ = cluster.run(cluster.command(
                "/usr/bin/python3", "-c", script, inactivity=INACTIVITY,
                startup=20))
            self.assertEqual(job.state, State.STATE_SUCCEEDED, job.failure)
            self.assertGreaterEqual(job.attempts[0].tokens, 25)
            self.assertEqual(out.count(b"token"), 25)

    def buffered(self, cluster, **options):
        # A first line of its own, then C's stdio, which buffers into a pipe.
        return cluster.run(cluster.command(
            "/bin/sh", "-c", f"echo loaded; exec {TASKS}/buffered_talker 60",
            inactivity=INACTIVITY, **options))

    def test_L8_buffered_output_is_named_as_the_likely_cause(self):
        with Cluster() as cluster:
            job, out, _ = self.buffered(cluster)
            self.assertEqual(job.failure.reason,
                             Reason.REASON_INACTIVITY_TIMEOUT, job)
            self.assertEqual(out, b"loaded\n")
            self.assertIn("buffering is likely", job.failure.advice)
            self.assertIn("--pty", job.failure.advice)
            evidence = job.attempts[0].evidence
            self.assertGreater(seconds(evidence.cpu_time_in_silence), 0.1)

    def test_L1_a_terminal_cures_buffering(self):
        with Cluster() as cluster:
            job, out, _ = self.buffered(cluster, pty=True)
            self.assertEqual(job.state, State.STATE_SUCCEEDED, job.failure)
            self.assertEqual(out.count(b"line "), 60)
            self.assertGreater(job.attempts[0].tokens, 30)


class ObserveTest(unittest.TestCase):

    def test_L1_observe_reports_what_would_have_been_killed(self):
        with Cluster() as cluster:
            request = cluster.talker("out:a", "1.5", "out:b", "1.5", "out:c",
                                     inactivity=0.5, observe=True)
            notices, out, job = [], b"", None
            for response in cluster.jobs.RunJob(
                    job_service_pb2.RunJobRequest(job=request)):
                event = response.event
                if event.HasField("notice"):
                    # It comes while the program runs.
                    self.assertNotIn(b"c\n", out)
                    notices.append(event.notice)
                elif event.HasField("output"):
                    out += event.output.data
                elif event.HasField("job"):
                    job = event.job
            self.assertEqual(job.state, State.STATE_SUCCEEDED, job.failure)
            self.assertEqual(out, b"a\nb\nc\n")
            reasons = [notice.reason for notice in notices]
            self.assertEqual(reasons, 2 * [Reason.REASON_INACTIVITY_TIMEOUT])
            observed = [o.reason for o in job.attempts[0].observed]
            self.assertEqual(observed, reasons)
            self.assertEqual(len(job.attempts), 1)

    def test_L1_observe_kills_nothing_at_any_clock_and_can_be_cancelled(self):
        with Cluster() as cluster:
            job_id = cluster.submit(cluster.talker(
                "600*0.1", start_to_close=0.5, observe=True))
            def noticed():
                attempts = cluster.get(job_id).attempts
                return attempts and attempts[0].observed
            observed = wait_until(noticed, "the clock is reported")
            self.assertEqual(observed[0].reason,
                             Reason.REASON_START_TO_CLOSE_TIMEOUT)
            self.assertEqual(cluster.get(job_id).state, State.STATE_RUNNING)
            cluster.cancel(job_id)
            self.assertEqual(cluster.finish(job_id).state,
                             State.STATE_CANCELLED)

if __name__ == "__main__":
    unittest.main()

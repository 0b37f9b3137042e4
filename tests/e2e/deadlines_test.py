"""The clocks of an attempt, scaled down, with real programs (rows L1, L2, L3,
L6).

Lower bounds are exact: a program stamps its output with its own clock, and no
clock may fire earlier than that stamp allows. There are no tight upper bounds:
a slow machine is no failure.
"""
import unittest

from vigil.v1 import policy_pb2

from deadline_case import INACTIVITY, DeadlineTestCase, seconds
from cluster import Cluster, Reason


class DeadlinesTest(DeadlineTestCase):

    # --- L1, L6: inactivity
    def test_L1_every_token_resets_the_inactivity_deadline(self):
        job, out = self.run_talker("40*0.1", inactivity=INACTIVITY)
        self.assert_succeeded(job)
        attempt = job.attempts[0]
        self.assertEqual(out.count("token"), 40)
        # It lived much longer than it was ever allowed to be silent.
        self.assertGreater(
            seconds(attempt.end_time) - seconds(attempt.active_time),
            2 * INACTIVITY)
        self.assertLess(seconds(attempt.longest_silence), INACTIVITY)

    def test_L1_a_partial_line_and_a_line_on_stderr_are_tokens_too(self):
        script = ("printf a; for i in 1 2 3 4; do sleep 0.6; printf b; "
                  "sleep 0.6; printf c >&2; done")
        job, out, err = self.cluster.run(
            self.cluster.command("/bin/sh", "-c", script,
                                 inactivity=INACTIVITY))
        self.assert_succeeded(job)
        self.assertEqual((out, err), (b"abbbb", b"cccc"))

    def test_L6_slow_load_then_tokens_succeeds(self):
        job, _ = self.run_talker("2.5", "10*0.1", startup=60,
                                 inactivity=INACTIVITY)
        self.assert_succeeded(job)
        self.assertGreater(seconds(job.attempts[0].longest_silence), 2.0)

    def test_L6_tokens_then_silence_is_killed_after_the_last_token(self):
        job, out = self.run_talker("8*0.1", "stamp", "600",
                                   inactivity=INACTIVITY)
        self.assert_failed(job, Reason.REASON_INACTIVITY_TIMEOUT)
        attempt = job.attempts[0]
        last_token = float(out.splitlines()[-1])
        # Not before: by the program's own clock, and by the evidence.
        self.assertGreaterEqual(seconds(attempt.end_time),
                                last_token + INACTIVITY)
        self.assertGreaterEqual(seconds(attempt.evidence.silence), INACTIVITY)
        self.assertTrue(attempt.charged)

    # --- L2: the absolute deadline
    def test_L2_absolute_deadline_holds_whatever_the_activity(self):
        job, out = self.run_talker("stamp", "600*0.1", start_to_close=2,
                                   inactivity=INACTIVITY)
        self.assert_failed(job, Reason.REASON_START_TO_CLOSE_TIMEOUT)
        attempt = job.attempts[0]
        self.assertGreaterEqual(
            seconds(attempt.end_time) - seconds(attempt.start_time), 1.99)
        self.assertGreater(out.count("token"), 1)
        self.assertLess(seconds(attempt.evidence.silence), INACTIVITY)

    def test_L2_the_job_as_a_whole_has_a_deadline_too(self):
        job, _ = self.run_talker("600*0.1", schedule_to_close=2)
        self.assert_failed(job, Reason.REASON_SCHEDULE_TO_CLOSE_TIMEOUT)
        self.assertGreaterEqual(
            seconds(job.end_time) - seconds(job.create_time), 1.99)

    # --- L3: silent
    def test_L3_a_silent_job_has_one_generous_deadline(self):
        silent = policy_pb2.ActivityPolicy.MODE_SILENT
        with Cluster(flags=["--startup=500ms", "--inactivity=500ms"]) as own:
            job, out, _ = own.run(own.talker("2", "out:done", "2", mode=silent))
            self.assert_succeeded(job)
            self.assertEqual(out, b"done\n")
            self.assertEqual(job.spec.timeouts.start_to_close_timeout.seconds,
                             300)
            # The same without: killed.
            job, _, _ = own.run(own.talker("30"))
            self.assert_failed(job, Reason.REASON_STARTUP_TIMEOUT)

    def test_L3_the_generous_deadline_fires(self):
        silent = policy_pb2.ActivityPolicy.MODE_SILENT
        with Cluster(flags=["--silent_start_to_close=1s"]) as own:
            job, _, _ = own.run(own.talker("600", mode=silent))
            self.assert_failed(job, Reason.REASON_START_TO_CLOSE_TIMEOUT)
            self.assertGreaterEqual(seconds(job.attempts[0].evidence.age), 1)

if __name__ == "__main__":
    unittest.main()

"""What start-up is granted (row L7), and what the error of a deadline and the
record of an attempt say (row L8), with real programs and scaled-down clocks.

Lower bounds come from the job's own timestamps; there are no tight upper
bounds.
"""
import time
import unittest

from deadline_case import INACTIVITY, DeadlineTestCase, seconds
from cluster import Phase, Reason, wait_until


class StartupTest(DeadlineTestCase):

    # --- L7: start-up
    def test_L7_stderr_while_loading_does_not_end_the_grace(self):
        request = self.cluster.talker("err:loading", "2.5", "out:ready",
                                      startup=60, inactivity=0.8)
        job_id = self.cluster.submit(request)

        def loading():
            attempts = self.cluster.get(job_id).attempts
            return attempts and attempts[0].stderr_bytes
        wait_until(loading, "the line on stderr is seen")
        self.assertEqual(self.cluster.get(job_id).attempts[0].phase,
                         Phase.PHASE_STARTING)
        job = self.cluster.finish(job_id)
        self.assert_succeeded(job)
        # The silence after that line was longer than inactivity_timeout.
        self.assertGreater(seconds(job.attempts[0].longest_silence), 2)
        self.assertGreater(seconds(job.attempts[0].active_time),
                           seconds(job.attempts[0].start_time) + 2)

    def test_L7_loading_forever_ends_at_the_startup_deadline(self):
        job, _ = self.run_talker("600", startup=1, inactivity=30)
        self.assert_failed(job, Reason.REASON_STARTUP_TIMEOUT)
        self.assertGreaterEqual(seconds(job.attempts[0].evidence.age), 1)

    def test_L7_a_crash_while_loading_is_reported_at_once(self):
        start = time.monotonic()
        job, _ = self.run_talker("err:no weights", "exit:7", startup=120)
        self.assert_failed(job, Reason.REASON_NONZERO_EXIT)
        self.assertEqual(job.exit.status, 7)
        self.assertIn("no weights", job.failure.message)
        self.assertLess(time.monotonic() - start, 60)


class RecordTest(DeadlineTestCase):

    # --- L8: the error and the statistics
    def test_L8_the_error_names_deadline_silence_and_last_output(self):
        job, _ = self.run_talker("3*0.1", "out:the last words", "600",
                                 inactivity=INACTIVITY)
        self.assert_failed(job, Reason.REASON_INACTIVITY_TIMEOUT)
        message = job.failure.message
        self.assertIn("inactivity_timeout", message)
        self.assertRegex(message, r"1\.[5-9]\d*s|[2-9]\.?\d*s")
        self.assertIn('"the last words"', message)
        self.assertTrue(job.failure.advice)
        evidence = job.attempts[0].evidence
        self.assertEqual(evidence.last_output.splitlines()[-1],
                         b"the last words")

    def test_L8_tokens_rate_and_longest_silence_are_kept(self):
        # One write a token, which Python's print does not promise.
        ten = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; echo token; done"
        job, out, _ = self.cluster.run(self.cluster.command(
            "/bin/sh", "-c", f"{ten}; sleep 1.2; {ten}"))
        self.assert_succeeded(job)
        attempt = job.attempts[0]
        self.assertEqual(attempt.tokens, 20)
        self.assertEqual(attempt.stdout_bytes, len(out))
        self.assertGreaterEqual(seconds(attempt.longest_silence), 1.2)
        # The rate is tokens over the time it talked.
        talked = seconds(attempt.end_time) - seconds(attempt.active_time)
        self.assertLess(attempt.tokens / talked, 10)
        explained = self.cluster.vigil("explain", job.job_id).stdout.decode()
        self.assertIn("20 tokens", explained)

if __name__ == "__main__":
    unittest.main()

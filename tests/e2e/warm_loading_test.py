"""What a warm task is granted while it loads, which is from its start until it
says `started` to its first job (row L7), and what a process that fails before
that costs the job: with real processes and scaled-down clocks.

Lower bounds come from the job's own timestamps; there are no tight upper
bounds.
"""
import unittest

from cluster import Phase, Reason, State, alive, wait_until
from deadline_case import seconds
from warm_case import (
    FOR_EVER, STARTED, WarmTestCase, duration, raw_type, result, token)

QUICK_RETRY = {"initial_interval": duration(0.05)}


class WarmLoadingTest(WarmTestCase):

    types = (
        raw_type("slow", ["sleep", 2.5],
                 timeouts={"startup_timeout": duration(60),
                           "inactivity_timeout": duration(0.8)}),
        # Of its own, so that it must load.
        raw_type("slower", ["sleep", 2.5]),
        raw_type("remarks", ["warn", "loading weights"], ["sleep", 2.5],
                 timeouts={"inactivity_timeout": duration(0.8)}),
        raw_type("stuck", FOR_EVER, timeouts={"startup_timeout": duration(1),
                                              "shutdown_grace": duration(1)}),
        raw_type("broken", ["warn", "no weights"], ["exit", 7],
                 retry=QUICK_RETRY),
        raw_type("broken_quietly", ["exit", 0], retry=QUICK_RETRY),
        raw_type("unlucky", ["upto", 2, ["kill", 9]], retry=QUICK_RETRY),
        raw_type("patient", ["upto", 1, ["exit", 7]],
                 retry={"initial_interval": duration(30)}),
        raw_type("foreign", {"hello": {"version": 2}}, FOR_EVER,
                 retry=QUICK_RETRY),
        raw_type("hasty", {"attempt_id": "a/1", "started": {}}, FOR_EVER,
                 retry=QUICK_RETRY),
        raw_type("takes_none", retry=QUICK_RETRY),
    )

    def test_L7_a_slow_load_and_then_the_job_succeeds(self):
        job, out, _ = self.run_steps("slow", STARTED, token("ready"), result())
        self.assert_succeeded(job)
        self.assertEqual(out, b"ready")
        attempt = job.attempts[0]
        # Longer than inactivity_timeout, which does not run while it loads.
        self.assertGreaterEqual(
            seconds(attempt.active_time) - seconds(attempt.start_time), 2.4)

        # The next job finds the process loaded.
        job, _, _ = self.run_steps("slow", STARTED, result("again"))
        self.assert_succeeded(job, b"again")
        self.assertEqual(len(self.pids("slow")), 1)

    def test_L7_start_to_close_runs_from_started(self):
        job, _, _ = self.run_steps("slower", STARTED, ["sleep", 2], result(),
                                   start_to_close=3)
        self.assert_succeeded(job)
        attempt = job.attempts[0]
        self.assertGreater(
            seconds(attempt.end_time) - seconds(attempt.start_time), 4)

    def test_L7_phase_starting_is_seen_and_a_cancel_ends_the_process(self):
        before = len(self.pids("stuck"))
        job_id = self.submit_steps("stuck", STARTED, startup=60)
        pid = wait_until(lambda: self.pids("stuck")[before:], "it loads")[0]
        job = self.cluster.wait_phase(job_id, Phase.PHASE_STARTING)
        self.assertFalse(job.attempts[0].HasField("active_time"))
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assertEqual(job.state, State.STATE_CANCELLED)
        self.assertEqual(len(job.attempts), 1)
        self.assertFalse(alive(pid))

    def test_L7_a_line_on_stderr_while_loading_does_not_end_the_grace(self):
        job_id = self.submit_steps("remarks", STARTED, result())

        def loading():
            attempts = self.cluster.get(job_id).attempts
            return attempts and attempts[0].stderr_bytes
        wait_until(loading, "the line on stderr is seen")
        self.assertEqual(self.cluster.get(job_id).attempts[0].phase,
                         Phase.PHASE_STARTING)
        job = self.cluster.finish(job_id)
        self.assert_succeeded(job)
        self.assertGreater(seconds(job.attempts[0].longest_silence), 2)

    def test_L7_loading_for_ever_ends_at_the_startup_deadline(self):
        job, _, _ = self.run_steps("stuck", STARTED, result())
        self.assert_failed(job, Reason.REASON_STARTUP_TIMEOUT,
                           "startup_timeout 1s")
        self.assertGreaterEqual(seconds(job.attempts[0].evidence.age), 1)
        # A clock of the attempt's own: it counts as one.
        self.assertTrue(job.attempts[0].charged)

    def test_L7_a_crash_while_loading_is_reported_at_once(self):
        # Its retry is half a minute away: the failure is seen before.
        job_id = self.submit_steps("patient", STARTED, result(), startup=120)

        def reported():
            attempts = self.cluster.get(job_id).attempts
            return attempts and attempts[0].HasField("failure")
        wait_until(reported, "the crash is seen", 25)
        job = self.cluster.get(job_id)
        self.assertEqual(job.state, State.STATE_BACKOFF)
        attempt = job.attempts[0]
        self.assertEqual(attempt.failure.reason, Reason.REASON_NONZERO_EXIT)
        self.assertIn("before it began the job", attempt.failure.message)
        self.assertFalse(attempt.charged)
        explained = self.cluster.vigil("explain", job_id).stdout.decode()
        self.assertIn("failed before it took the job", explained)
        self.cluster.cancel(job_id)

    def test_L7_the_third_process_that_fails_to_load_ends_the_job(self):
        job, _, err = self.run_steps("broken", STARTED, result(),
                                     maximum_attempts=1)
        self.assert_failed(job, Reason.REASON_NONZERO_EXIT, "status 7")
        self.assertIn("no weights", job.failure.message)
        self.assertIn("the last of 3 processes", job.failure.message)
        self.assertEqual([attempt.number for attempt in job.attempts],
                         [1, 2, 3])
        for attempt in job.attempts:
            self.assertEqual(attempt.failure.reason,
                             Reason.REASON_NONZERO_EXIT)
            self.assertIn("no weights", attempt.failure.message)
            self.assertEqual(attempt.exit.status, 7)
            self.assertFalse(attempt.charged)
        self.assertEqual(err, b"no weights\n" * 3)

    def test_L7_an_exit_with_status_0_while_loading_is_a_failure_too(self):
        job, _, _ = self.run_steps("broken_quietly", STARTED, result())
        self.assert_failed(job, Reason.REASON_PROTOCOL_ERROR, "status 0")
        self.assertEqual(len(job.attempts), 3)

    def test_L7_two_crashes_while_loading_cost_the_job_nothing(self):
        job, _, _ = self.run_steps("unlucky", STARTED, result(),
                                   maximum_attempts=1)
        self.assert_succeeded(job)
        self.assertEqual([attempt.failure.reason for attempt in job.attempts],
                         [Reason.REASON_SIGNALLED, Reason.REASON_SIGNALLED,
                          Reason.REASON_UNSPECIFIED])
        self.assertEqual([attempt.charged for attempt in job.attempts],
                         [False, False, True])

    def test_L7_a_crash_between_start_and_started_is_the_process_own(self):
        job, _, _ = self.run_steps("takes_none", ["exit", 9],
                                   maximum_attempts=1)
        self.assert_failed(job, Reason.REASON_NONZERO_EXIT, "status 9")
        self.assertEqual([attempt.charged for attempt in job.attempts],
                         [False] * 3)

    def test_L7_a_task_of_another_version_is_refused_by_name(self):
        job, _, _ = self.run_steps("foreign", STARTED, result())
        self.assert_failed(job, Reason.REASON_PROTOCOL_ERROR, "version 2")
        self.assertEqual(len(job.attempts), 3)

    def test_L7_a_frame_before_hello_is_refused(self):
        job, _, _ = self.run_steps("hasty", STARTED, result())
        self.assert_failed(job, Reason.REASON_PROTOCOL_ERROR,
                           "comes before hello")


if __name__ == "__main__":
    unittest.main()

"""The clocks of a warm task that has begun its job: only its frames are signs
of life (row L1), only progress that grows is progress, and neither holds the
deadline of the whole attempt up (row L2); with scaled-down clocks.

Lower bounds come from the job's own timestamps; there are no tight upper
bounds.
"""
import unittest

from cluster import Reason, State, wait_until
from deadline_case import INACTIVITY, seconds
from vigil.v1 import policy_pb2
from warm_case import (
    FOR_EVER, HEARTBEAT, STARTED, WarmTestCase, duration, progress, raw_type,
    result, token)

ActivityPolicy = policy_pb2.ActivityPolicy
GRACE = {"shutdown_grace": duration(0.2)}


class WarmSilenceTest(WarmTestCase):

    slots = 4
    types = (
        raw_type("task", timeouts=GRACE),
        raw_type("by_stderr", timeouts=GRACE,
                 activity={"streams": ActivityPolicy.STREAMS_STDERR}),
    )

    def talked(self, job):
        """For how long the last attempt was active, in seconds."""
        attempt = job.attempts[-1]
        return seconds(attempt.end_time) - seconds(attempt.active_time)

    # --- L1: inactivity
    def test_L1_every_token_resets_inactivity(self):
        job, out, _ = self.run_steps(
            "task", STARTED, ["repeat", 12, ["sleep", 0.3], token("t")],
            result(), inactivity=INACTIVITY)
        self.assert_succeeded(job)
        self.assertEqual(out, b"t" * 12)
        self.assertEqual(job.attempts[0].tokens, 12)
        self.assertGreater(self.talked(job), 2 * INACTIVITY)
        self.assertLess(seconds(job.attempts[0].longest_silence), INACTIVITY)

    def test_L1_silence_is_killed_that_long_after_the_last_token(self):
        job, out, _ = self.run_steps(
            "task", STARTED, ["repeat", 6, ["sleep", 0.3], token("word ")],
            token("the last word"), FOR_EVER, inactivity=INACTIVITY)
        self.assert_failed(job, Reason.REASON_INACTIVITY_TIMEOUT,
                           '"word word word word word word the last word"')
        self.assertTrue(out.endswith(b"the last word"))
        self.assertGreaterEqual(
            seconds(job.attempts[0].evidence.silence), INACTIVITY)
        self.assertGreaterEqual(self.talked(job), 1.8 + INACTIVITY)

    def test_L1_heartbeats_alone_keep_it_alive(self):
        job, out, _ = self.run_steps(
            "task", STARTED, ["repeat", 12, ["sleep", 0.3], HEARTBEAT],
            result(), inactivity=INACTIVITY)
        self.assert_succeeded(job)
        self.assertEqual(out, b"")
        self.assertEqual(job.attempts[0].heartbeats, 12)
        self.assertEqual(job.attempts[0].tokens, 0)
        self.assertGreater(self.talked(job), 2 * INACTIVITY)

    def test_L1_heartbeats_are_counted_while_it_runs(self):
        job_id = self.submit_steps(
            "task", STARTED, ["repeat", 3, HEARTBEAT], FOR_EVER)
        wait_until(lambda: self.cluster.get(job_id).attempts[0].heartbeats == 3,
                   "three heartbeats are seen")
        shown = self.cluster.vigil("explain", job_id).stdout.decode()
        self.assertIn("3 heartbeats", shown)
        self.cluster.cancel(job_id)
        self.cluster.finish(job_id)

    def test_L1_prints_are_no_signs_of_life(self):
        job, out, err = self.run_steps(
            "task", STARTED, ["repeat", 40, ["sleep", 0.1], ["print", "beep"],
                              ["warn", "boop"]], result(),
            inactivity=INACTIVITY)
        self.assert_failed(job, Reason.REASON_INACTIVITY_TIMEOUT)
        self.assertEqual(out, b"")
        self.assertIn(b"beep\n", err)
        self.assertIn(b"boop\n", err)

    def test_L1_prints_count_where_they_are_chosen(self):
        job, _, _ = self.run_steps(
            "by_stderr", STARTED, ["repeat", 12, ["sleep", 0.3],
                                   ["warn", "boop"]], result(),
            inactivity=INACTIVITY)
        self.assert_succeeded(job)
        job, _, _ = self.run_steps(
            "by_stderr", STARTED, ["repeat", 12, ["sleep", 0.3],
                                   ["print", "beep"]], result(),
            inactivity=INACTIVITY)
        self.assert_failed(job, Reason.REASON_INACTIVITY_TIMEOUT)

    # --- L2: the whole attempt, whatever it says
    def test_L2_tokens_for_ever_end_at_start_to_close(self):
        job, out, _ = self.run_steps(
            "task", STARTED, ["repeat", 100000, ["sleep", 0.05], token("t")],
            start_to_close=2)
        self.assert_failed(job, Reason.REASON_START_TO_CLOSE_TIMEOUT)
        self.assertGreater(len(out), 10)
        self.assertGreaterEqual(self.talked(job), 2)

    # --- progress
    def test_L1_babbling_without_progress_ends_at_the_progress_deadline(self):
        job, out, _ = self.run_steps(
            "task", STARTED, progress(1, 10),
            ["repeat", 100000, ["sleep", 0.05], token("t"), HEARTBEAT,
             progress(1, 10)], progress=1.5, inactivity=30)
        self.assert_failed(job, Reason.REASON_PROGRESS_TIMEOUT,
                           "no progress beyond 1 of 10")
        self.assertGreater(len(out), 10)
        self.assertGreaterEqual(self.talked(job), 1.5)

    def test_L1_progress_that_grows_keeps_it_alive(self):
        growing = []
        for done in range(1, 11):
            growing += [["sleep", 0.35], progress(done)]
        job, _, _ = self.run_steps("task", STARTED, *growing, result(),
                                   progress=1.5, inactivity=1.5)
        self.assert_succeeded(job)
        self.assertEqual(job.attempts[0].progress.done, 10)
        self.assertGreater(self.talked(job), 3)

    # --- the clocks of one job are not the next one's
    def test_L1_each_job_has_its_own_clocks(self):
        job_id = self.submit_steps("task", STARTED, result())
        self.cluster.finish(job_id)
        pid = self.pid_of("task", job_id)
        # As a group they last longer than either clock of one of them.
        for _ in range(4):
            job, _, _ = self.run_steps("task", STARTED, ["sleep", 0.5],
                                       result(), inactivity=INACTIVITY,
                                       start_to_close=INACTIVITY)
            self.assert_succeeded(job)
            self.assertLess(seconds(job.attempts[0].longest_silence),
                            INACTIVITY)
        self.assertEqual(self.pid_of("task", job.job_id), pid)

    def test_L1_a_silent_job_is_given_its_time(self):
        job, _, _ = self.run_steps(
            "task", STARTED, ["sleep", 2 * INACTIVITY], result(),
            inactivity=INACTIVITY, mode=ActivityPolicy.MODE_SILENT)
        self.assert_succeeded(job)

    def test_L1_observed_clocks_are_reported_and_kill_nothing(self):
        job, _, _ = self.run_steps(
            "task", STARTED, ["sleep", 2 * INACTIVITY], result(),
            inactivity=INACTIVITY, observe=True)
        self.assert_succeeded(job)
        self.assertEqual([failure.reason
                          for failure in job.attempts[0].observed],
                         [Reason.REASON_INACTIVITY_TIMEOUT])

    def test_L1_the_task_is_told_its_clocks(self):
        job, out, _ = self.run_steps(
            "task", STARTED, ["start"], result(), inactivity=7, progress=8,
            start_to_close=9, namespace="ours")
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        for told in (b'"inactivity_timeout": "7s"', b'"progress_timeout": "8s"',
                     b'"start_to_close_timeout": "9s"', b'"namespace": "ours"',
                     b'"attempt": 1', job.job_id.encode()):
            self.assertIn(told, out)


if __name__ == "__main__":
    unittest.main()

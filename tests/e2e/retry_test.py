"""What is tried again, when, how often, and what is recorded of each attempt:
programs that fail until their Nth start and keep a journal of their own.
"""
import itertools
import unittest

from deadline_case import DeadlineTestCase, seconds
from cluster import PYTHON, TASKS, Reason, State, wait_until

EXHAUSTED = "RuntimeError: can't start new thread\n"


class RetryTest(DeadlineTestCase):

    numbers = itertools.count()

    def setUp(self):
        self.journal = self.cluster.dir / f"journal{next(self.numbers)}"

    def run_failing(self, starts, status, message="", **options):
        """Runs fail_until.py to its end."""
        job, _, _ = self.cluster.run(self.cluster.command(
            PYTHON, f"{TASKS}/fail_until.py", self.journal, starts, status,
            message, **options))
        return job

    def starts(self):
        """(fence, time) of each start, as the program saw it."""
        pairs = [line.split() for line in self.journal.read_text().splitlines()]
        return [(int(fence), float(when)) for fence, when in pairs]

    def test_B3_exit_status_75_is_retried_with_growing_waits(self):
        job = self.run_failing(4, 75)
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        self.assertEqual([fence for fence, _ in self.starts()], [1, 2, 3, 4])
        times = [when for _, when in self.starts()]
        waits = [b - a for a, b in zip(times, times[1:])]
        # 0.1 s x 2 with 20 % jitter, and never sooner.
        for wait, least in zip(waits, (0.08, 0.16, 0.32)):
            self.assertGreaterEqual(wait, least)
        self.assertFalse(job.HasField("failure"))

    def test_B3_each_attempt_is_recorded(self):
        job = self.run_failing(3, 75, "later please\n")
        self.assertEqual(len(job.attempts), 3)
        worker = self.cluster.get_status().workers[0]
        for number, attempt in enumerate(job.attempts, 1):
            self.assertEqual(attempt.number, number)
            self.assertEqual(attempt.worker_id, worker.worker_id)
            self.assertEqual(attempt.session_id, worker.session_id)
            order = [seconds(attempt.assign_time), seconds(attempt.start_time),
                     seconds(attempt.end_time)]
            self.assertEqual(order, sorted(order))
            self.assertTrue(attempt.charged)
        for attempt, after in zip(job.attempts, job.attempts[1:]):
            self.assertEqual(attempt.failure.reason, Reason.REASON_TASK_ERROR)
            self.assertIn("later please", attempt.failure.message)
            self.assertEqual(attempt.exit.status, 75)
            self.assertGreaterEqual(
                seconds(attempt.retry_time) - seconds(attempt.end_time), 0.079)
            self.assertGreaterEqual(seconds(after.assign_time),
                                    seconds(attempt.retry_time) - 0.001)
        self.assertFalse(job.attempts[2].HasField("failure"))
        self.assertFalse(job.attempts[2].HasField("retry_time"))

    def test_B3_exhaustion_is_recognised_by_its_text(self):
        job = self.run_failing(2, 1, EXHAUSTED)
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        self.assertEqual(job.attempts[0].failure.reason,
                         Reason.REASON_RESOURCE_EXHAUSTED)

    def test_B3_maximum_attempts_ends_it_with_the_last_failure(self):
        job = self.run_failing(9, 75, maximum_attempts=2)
        self.assertEqual(job.state, State.STATE_FAILED)
        self.assertEqual(job.failure.reason, Reason.REASON_TASK_ERROR)
        self.assertEqual(len(self.starts()), 2)
        self.assertFalse(job.attempts[1].HasField("retry_time"))

    def test_B3_a_different_error_stops_the_retry(self):
        job = self.run_failing(9, 3)
        self.assertEqual(job.failure.reason, Reason.REASON_NONZERO_EXIT)
        self.assertEqual(len(self.starts()), 1)

    def test_B2_malformed_input_is_never_retried(self):
        job = self.run_failing(9, 65)
        self.assertEqual(job.failure.reason, Reason.REASON_INVALID_INPUT)
        self.assertEqual(len(self.starts()), 1)

    def test_B3_retry_on_adds_a_reason(self):
        job = self.run_failing(2, 3, retry_on=[Reason.REASON_NONZERO_EXIT],
                               initial_interval=0.5)
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        (_, first), (_, second) = self.starts()
        self.assertGreaterEqual(second - first, 0.4)

    def test_B3_a_deadline_is_retried_where_asked_for(self):
        job, _, _ = self.cluster.run(self.cluster.talker(
            "out:a", "600", inactivity=0.5, maximum_attempts=2,
            retry_on=[Reason.REASON_INACTIVITY_TIMEOUT]))
        self.assertEqual(job.failure.reason, Reason.REASON_INACTIVITY_TIMEOUT)
        self.assertEqual([a.failure.reason for a in job.attempts],
                         2 * [Reason.REASON_INACTIVITY_TIMEOUT])
        # The second starts only when the first one's tree is proved dead.
        self.assertGreaterEqual(seconds(job.attempts[1].assign_time),
                                seconds(job.attempts[0].end_time))

    def test_B3_cancelled_while_it_waits_for_its_retry(self):
        job_id = self.cluster.submit(self.cluster.command(
            PYTHON, f"{TASKS}/fail_until.py", self.journal, 2, 75,
            initial_interval=50))
        wait_until(lambda: self.cluster.get(job_id).state ==
                   State.STATE_BACKOFF, "it waits")
        job = self.cluster.get(job_id)
        self.assertEqual(job.waiting_reason, State.WAITING_REASON_BACKOFF)
        self.assertGreater(seconds(job.retry_time),
                           seconds(job.attempts[0].end_time) + 39)
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assertEqual(job.state, State.STATE_CANCELLED)
        self.assertEqual(len(job.attempts), 1)


if __name__ == "__main__":
    unittest.main()

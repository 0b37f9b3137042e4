"""C1 whole: 6 concurrent callers, 2 slots, and tasks that open a pool of 2 for
each of their songs: 12 songs, then 24. Under every policy each job ends typed,
within a time that no deadlock would keep; where the work is allowed to go on,
its results are those of the program without pools. Nothing is left (C6), and
what was refused or run in sequence is counted (C2).
"""
import concurrent.futures
import re
import subprocess
import time
import unittest

from cluster import PYTHON, TASKS, processes_with
from nesting_case import (
    FORKS, Failure, NestingTestCase, Outcome, Spec, children, state_of)

CALLERS = 6
BATCHES = (12, 24)
# For both batches. They need some seconds; a deadlock lasts until songs.py's
# own minute, or the job's, is over.
SECONDS_MAX = 50

POOL = "ProcessPoolExecutor"


def plain(songs):
    """What the program prints without pools."""
    return subprocess.run(
        [PYTHON, f"{TASKS}/songs.py", "--plain", *map(str, songs)],
        capture_output=True, check=True).stdout


class SongsTest(NestingTestCase):

    slots = 2

    def setUp(self):
        self.mark = f"{self.cluster.dir}/{self.id()}."
        self.before = self.cluster.get_status()
        self.slots_before = self.slot_processes()
        self.addCleanup(self.assert_nothing_left)

    def assert_nothing_left(self):
        """Neither processes nor zombies, and the slots are the same."""
        self.assertEqual(processes_with(self.mark), [])
        self.assertEqual(self.slot_processes(), self.slots_before)
        for parent in [*self.slots_before, self.cluster.coordinator.pid]:
            self.assertEqual(
                [pid for pid in children(parent) if state_of(pid) == "Z" or
                 parent in self.slots_before], [])
        self.assertEqual(self.cluster.get_status().deaths_unconfirmed, 0)

    def run_songs(self, policy, **options):
        """Runs both batches; returns (songs, job, stdout) of every job.

        A batch's songs are shared out among the callers, who wait for theirs.
        """
        def call(songs):
            request = self.task("songs.py", 2, *songs, on_nested_pool=policy,
                                **options)
            request.spec.command.env["MARK"] = self.mark
            job, out, _ = self.cluster.run(request)
            return songs, job, out

        start = time.monotonic()
        ended = []
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
            for size in BATCHES:
                ended += callers.map(
                    call, [range(first, size, CALLERS)
                           for first in range(CALLERS)])
        self.assertLess(time.monotonic() - start, SECONDS_MAX)
        self.assertEqual(len(ended), CALLERS * len(BATCHES))
        return ended

    def assert_results(self, ended):
        """All succeeded, with the results of the program without pools."""
        for songs, job, out in ended:
            self.assert_succeeded(job)
            self.assertEqual(out, plain(songs))

    def counted(self, name):
        """How much a count of GetStatus has grown."""
        return (getattr(self.cluster.get_status(), name) -
                getattr(self.before, name))

    def assert_all_refused(self, ended):
        for _, job, out in ended:
            self.assert_nested_pool(job)
            self.assertEqual(out, b"")
        calls = sum(call.count for _, job, _ in ended
                    for call in job.attempts[0].nested_calls)
        self.assertGreaterEqual(calls, len(ended))
        self.assertEqual(self.counted("nested_calls"), calls)
        self.assertEqual(self.counted("sequential_pools"), 0)

    def test_C1_under_fail_every_job_ends_at_its_pool(self):
        ended = self.run_songs(Spec.ON_NESTED_POOL_FAIL)
        self.assert_all_refused(ended)
        for _, job, _ in ended:
            self.assertIn("while 1 lived beside the task's own",
                          job.failure.message)

    def test_C1_under_deny_every_job_fails_and_says_why(self):
        ended = self.run_songs(Spec.ON_NESTED_POOL_DENY)
        self.assert_all_refused(ended)
        for _, job, _ in ended:
            self.assertIn("python3 was refused 1 process (clone; "
                          "max_processes 0); then the program exited with "
                          "status 1", job.failure.message)
            self.assertIn("PermissionError", job.failure.message)

    def assert_sequential(self, songs, attempt):
        """Each pool ran in the task's own process, and says where it is."""
        call, = attempt.nested_calls
        self.assertEqual((call.call, call.outcome, call.count),
                         (POOL, Outcome.OUTCOME_SEQUENTIAL, len(songs)))
        self.assertTrue(re.fullmatch(r"songs\.py:\d+", call.where), call)

    def test_C1_under_sequential_every_job_succeeds(self):
        ended = self.run_songs(Spec.ON_NESTED_POOL_SEQUENTIAL)
        self.assert_results(ended)
        for songs, job, _ in ended:
            self.assert_sequential(songs, job.attempts[0])
        self.assertEqual(self.counted("sequential_pools"), sum(BATCHES))
        self.assertEqual(self.counted("nested_calls"), 0)

    def test_C1_under_retry_sequential_the_second_attempt_succeeds(self):
        ended = self.run_songs(Spec.ON_NESTED_POOL_RETRY_SEQUENTIAL)
        self.assert_results(ended)
        for songs, job, _ in ended:
            first, second = job.attempts
            self.assertEqual(first.failure.reason, Failure.REASON_NESTED_POOL)
            self.assertFalse(first.sequential)
            self.assertTrue(second.sequential)
            self.assert_sequential(songs, second)
        self.assertEqual(self.counted("sequential_pools"), sum(BATCHES))
        self.assertGreaterEqual(self.counted("nested_calls"), len(ended))

    def test_C1_under_audit_every_job_succeeds_with_its_pools(self):
        """Pools of two are within max_processes: nothing is counted."""
        ended = self.run_songs(Spec.ON_NESTED_POOL_AUDIT, max_processes=10)
        self.assert_results(ended)
        for _, job, _ in ended:
            self.assertEqual(list(job.attempts[0].nested_calls), [])
        self.assertEqual(self.counted("nested_calls"), 0)

    def test_C1_under_audit_what_would_be_refused_is_counted(self):
        """A pool that lives too short to be looked at is not."""
        ended = self.run_songs(Spec.ON_NESTED_POOL_AUDIT, max_processes=1)
        self.assert_results(ended)
        calls = [call for _, job, _ in ended
                 for call in job.attempts[0].nested_calls]
        self.assertTrue(calls)
        for call in calls:
            self.assertIn(call.call, FORKS)
            self.assertEqual(call.outcome, Outcome.OUTCOME_ALLOWED)
        self.assertEqual(self.counted("nested_calls"),
                         sum(call.count for call in calls))


if __name__ == "__main__":
    unittest.main()

"""A4: expensive preparation is done once on a worker, before the first job of
its type and not inside it, in the phase WARMING; a cache that is not complete
is seen by nobody; and a warm-up that fails fails the job, or, where it is
optional, leaves the type usable and marked degraded.

The warm-up is warm_up.py, which writes a cache of two files; how often it was
begun stands in its journal.
"""
import unittest

from cluster import Phase, Reason, State, wait_until
from vigil.v1 import catalog_pb2, job_service_pb2
from warm_case import duration, type_status
from warm_up_case import LOOK, WarmUpCase, warm_up, warmed

QUICK_RETRY = {"initial_interval": duration(0.05)}


class WarmingTest(WarmUpCase):

    types = (
        warmed("held", "wait", timeouts={"startup_timeout": duration(60)}),
        warmed("talking", "talk", warm_timeout=duration(1),
               timeouts={"inactivity_timeout": duration(1),
                         "start_to_close_timeout": duration(2)}),
        warmed("cancelled", "wait"),
        catalog_pb2.TaskType(
            name="command", argv=["/bin/sh", "-c", "ls $VIGIL_CACHE_DIR"],
            warm_up=warm_up("command", "fill")),
    )

    def test_A4_once_before_the_first_jobs_in_a_phase_of_its_own(self):
        ids = [self.submit_steps("held", *LOOK) for _ in range(2)]
        self.wait_filling("held")
        for job_id in ids:
            job = self.cluster.wait_phase(job_id, Phase.PHASE_WARMING)
            self.assertFalse(job.attempts[0].HasField("active_time"))
        shown = self.cluster.vigil("status").stdout.decode()
        self.assertIn("WARMING", shown)
        # Half of it is written, where no task looks.
        self.assertEqual(self.caches("held"), ["partial"])
        self.assertEqual(self.pids("held"), [])
        self.go("held")
        for job_id in ids:
            job = self.cluster.finish(job_id)
            self.assert_complete(job, self.output(job_id))
            self.assertEqual(len(job.attempts), 1)
        self.assertEqual(self.caches("held"), ["complete"])
        # Once, and not again for the next.
        job, directory, _ = self.run_steps("held", *LOOK)
        self.assert_complete(job, directory)
        self.assertEqual(self.fills("held"), 1)

    def test_A4_the_jobs_own_clocks_do_not_run_and_its_watchers_see_it(self):
        # Longer than start_to_close_timeout and than the warm-up's timeout,
        # which what it writes extends.
        job, directory, err = self.run_steps("talking", *LOOK)
        self.assert_complete(job, directory)
        self.assertEqual(err.count(b"still at it\n"), 10)
        self.assertIn(b"half of the vocabulary\n", err)
        self.assertNotIn(b"vocabulary", directory)

    def test_A4_a_command_may_have_one(self):
        for _ in range(2):
            request = job_service_pb2.SubmitJobRequest()
            request.spec.task_type = "command"
            job, out, _ = self.cluster.run(request)
            self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
            self.assertEqual(out, b"first\nsecond\n")
        self.assertEqual(self.fills("command"), 1)

    def test_A7_a_cancel_while_it_warms_up_harms_no_other_job(self):
        first = self.submit_steps("cancelled", *LOOK)
        self.wait_filling("cancelled")
        second = self.submit_steps("cancelled", *LOOK)
        self.cluster.wait_phase(second, Phase.PHASE_WARMING)
        self.cluster.cancel(first)
        self.assertEqual(self.cluster.finish(first).state,
                         State.STATE_CANCELLED)
        # Its warm-up went with it; the other job begins its own.
        self.wait_filling("cancelled", 2)
        self.go("cancelled")
        self.assert_complete(self.cluster.finish(second), self.output(second))
        self.assertEqual(len(self.cluster.get(second).attempts), 1)
        wait_until(lambda: self.caches("cancelled") == ["complete"],
                   "what was half done is removed")


class FailureTest(WarmUpCase):

    types = (
        warmed("required", "fail", retry=QUICK_RETRY),
        warmed("optional", "fail", warm_optional=True),
        warmed("hanging", "hang", warm_timeout=duration(1),
               timeouts={"inactivity_timeout": duration(0.5),
                         "shutdown_grace": duration(0.2)}),
        warmed("long", "talk", warm_start_to_close_timeout=duration(1),
               warm_optional=True),
    )

    def test_A4_a_required_one_that_fails_fails_the_job(self):
        job, _, err = self.run_steps("required", *LOOK, maximum_attempts=1)
        self.assert_failed(job, Reason.REASON_NONZERO_EXIT,
                           'the warm-up of "required"')
        self.assertIn("no vocabulary on this machine", job.failure.message)
        self.assertIn(b"no vocabulary on this machine\n", err)
        # As a process that fails to load: three times, none charged.
        self.assertEqual([attempt.charged for attempt in job.attempts],
                         [False] * 3)
        self.assertEqual(self.fills("required"), 3)
        self.assertEqual(self.pids("required"), [])
        self.assertNotIn("complete", self.caches("required"))
        # The next job tries again.
        self.go("required")
        job, directory, _ = self.run_steps("required", *LOOK)
        self.assert_complete(job, directory)
        self.assertEqual(self.fills("required"), 4)

    def test_A4_an_optional_one_that_fails_leaves_the_type_degraded(self):
        for _ in range(2):
            job, directory, _ = self.run_steps("optional", *LOOK)
            self.assert_succeeded(job)
            self.assertEqual(directory, b"(none)")
        # Not tried again before it is cleared.
        self.assertEqual(self.fills("optional"), 1)
        self.assertEqual(len(job.attempts), 1)
        degraded = type_status(self.cluster, "optional").degraded
        self.assertIn("status 3", degraded)
        worker = self.cluster.get_status().workers[0].worker_id
        shown = self.cluster.vigil("worker", "get", worker).stdout.decode()
        self.assertIn("DEGRADED", shown)
        self.assertIn("status 3", shown)

        self.go("optional")
        cleared = self.cluster.vigil("worker", "clear-cache", worker,
                                     "--task-type=optional")
        self.assertEqual(cleared.returncode, 0, cleared.stderr)
        job, directory, _ = self.run_steps("optional", *LOOK)
        self.assert_complete(job, directory)
        wait_until(lambda: not type_status(self.cluster, "optional").degraded,
                   "it is not degraded any more")
        self.assertNotIn(
            "status 3",
            self.cluster.vigil("worker", "get", worker).stdout.decode())

    def test_A4_one_that_hangs_ends_at_its_own_timeout(self):
        job, _, _ = self.run_steps("hanging", *LOOK, startup=600,
                                   inactivity=600)
        self.assert_failed(job, Reason.REASON_STARTUP_TIMEOUT,
                           'the warm-up of "hanging"')
        self.assertTrue(job.attempts[0].charged)
        wait_until(lambda: not self.caches("hanging"),
                   "what was half done is removed")

    def test_A4_one_that_talks_for_ever_ends_too(self):
        job, directory, _ = self.run_steps("long", *LOOK)
        self.assert_succeeded(job)
        self.assertEqual(directory, b"(none)")
        self.assertIn("start_to_close_timeout",
                      type_status(self.cluster, "long").degraded)


if __name__ == "__main__":
    unittest.main()

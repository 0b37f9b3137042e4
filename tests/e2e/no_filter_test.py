"""B1 where kernel or container do not permit the filter: no_seccomp runs the
coordinator, and so all below it, where seccomp(2) fails with EPERM. It is said
in the log, by the API and by `vigil worker get`; processes are counted instead and
too many of them end the attempt; threads are not limited.
"""
import unittest

from cluster import TASKS
from nesting_case import Failure, NestingTestCase, Outcome, Spec
from vigil.v1 import worker_pb2, worker_service_pb2

Filter = worker_pb2.NestingFilter


class NoFilterTest(NestingTestCase):

    prefix = (f"{TASKS}/no_seccomp",)
    slots = 2

    def test_B1_it_is_said_once_and_shown(self):
        worker, = self.cluster.worker_service.ListWorkers(
            worker_service_pb2.ListWorkersRequest()).workers
        self.assertEqual(worker.nesting_filter.state,
                         Filter.STATE_UNAVAILABLE)
        self.assertIn("the container's seccomp profile forbids it",
                      worker.nesting_filter.problem)
        said = [line for line in self.cluster.log().splitlines()
                if "tasks are not held to max_processes" in line]
        self.assertEqual(len(said), 1, said)
        self.assertIn("allow the system call seccomp(2)", said[0])
        shown = self.cluster.vigil("worker", "get",
                                   worker.worker_id).stdout.decode()
        self.assertRegex(shown, r"FILTER: +UNAVAILABLE\n")
        self.assertIn(worker.nesting_filter.problem, shown)

    def assert_counted(self, job, limit):
        """It had its processes, for a while, and was ended for them."""
        self.assert_nested_pool(job, "python3 had ",
                                "at one time beside its own",
                                f"(max_processes {limit})")
        call = job.attempts[0].nested_calls[0]
        self.assertEqual((call.program, call.call), ("python3", "fork"))

    def test_B1_a_pool_is_counted_and_ended(self):
        job, _, out, _ = self.run_task("songs.py", 2, *range(500))
        self.assert_counted(job, 1)
        self.assertLess(out.count(b"song"), 100)

    def test_B1_a_pool_is_ended_under_deny_too(self):
        """Nothing can be refused, so the task must not go on as if it was."""
        job, _, out, _ = self.run_task(
            "songs.py", 2, *range(500), on_nested_pool=Spec.ON_NESTED_POOL_DENY)
        self.assert_counted(job, 0)
        self.assertLess(out.count(b"song"), 100)

    def test_B1_a_fork_bomb_is_counted_and_ended(self):
        job, attempt, _, _ = self.run_task("fork_bomb.py", 8)
        self.assert_counted(job, 1)
        self.assertGreater(attempt.evidence.process_count, 1)

    def test_C2_pools_of_python_run_in_sequence_without_it(self):
        job, attempt, out, _ = self.run_task(
            "pools.py", "executor-fork", 4,
            on_nested_pool=Spec.ON_NESTED_POOL_SEQUENTIAL)
        self.assert_succeeded(job)
        self.assertEqual(out, b"[0, 1, 4, 9]\n")
        call, = attempt.nested_calls
        self.assertEqual((call.call, call.outcome),
                         ("ProcessPoolExecutor", Outcome.OUTCOME_SEQUENTIAL))

    def test_B1_audit_counts_and_ends_nothing(self):
        job, attempt, out, _ = self.run_task(
            "fork_bomb.py", 3, on_nested_pool=Spec.ON_NESTED_POOL_AUDIT,
            inactivity=0.6)
        self.assert_failed(job, Failure.REASON_INACTIVITY_TIMEOUT)
        self.assertEqual(out.count(b"sleeps"), 8)
        self.assertEqual(attempt.nested_calls[0].outcome,
                         Outcome.OUTCOME_ALLOWED)

    def test_B1_one_helper_works_and_threads_are_not_limited(self):
        job, attempt, out, _ = self.run_task("shellout.py", "subprocess-run")
        self.assert_succeeded(job)
        self.assertEqual(list(attempt.nested_calls), [])
        job, attempt, out, _ = self.run_task("thread_bomb.py", 20,
                                             max_threads=4)
        self.assert_succeeded(job)
        self.assertEqual(out, b"started 20 threads\n")


if __name__ == "__main__":
    unittest.main()

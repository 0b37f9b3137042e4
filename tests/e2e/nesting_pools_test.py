"""B1: every kind of pool within a task, and all that starts a second process
beside the first, ends as NESTED_POOL at that very call; one helper at a time
does not, and threads are limited by their number alone. Each on one slot, which
is free at once and the same as before.
"""
import unittest

from nesting_case import FORKS, Failure, NestingTestCase, Outcome, Spec

# Far above what a small machine needs to come to the second fork, and far
# below the minute after which pools.py ends by itself.
SECONDS_MAX = 30


class PoolsTest(NestingTestCase):

    def assert_pool_refused(self, kind, calls):
        """A pool of pools.py ends at its second process."""
        job, attempt, out, _ = self.run_task("pools.py", kind, 4)
        self.assert_nested_pool(
            job, "python3 wanted another process (",
            "while 1 lived beside the task's own (max_processes 1)")
        self.assertEqual(out, b"")
        first = attempt.nested_calls[0]
        self.assertEqual(first.program, "python3")
        self.assertIn(first.call, calls)
        # The task and its first helper, as they were before the stop.
        self.assertEqual(attempt.evidence.process_count, 2)
        task, helper = attempt.evidence.processes
        self.assertIn("python3", task.command)
        self.assertEqual(helper.parent_pid, task.pid)
        self.assertLess(attempt.end_time.ToSeconds() -
                        attempt.start_time.ToSeconds(), SECONDS_MAX)
        self.assertFalse(attempt.evidence.death_unconfirmed)

    def test_B1_a_process_pool_executor_that_forks(self):
        self.assert_pool_refused("executor-fork", ("clone",))

    def test_B1_a_process_pool_executor_that_spawns(self):
        """Its helper is the resource tracker; the first worker is refused."""
        self.assert_pool_refused("executor-spawn", FORKS)

    def test_B1_a_process_pool_executor_of_a_fork_server(self):
        self.assert_pool_refused("executor-forkserver", FORKS)

    def test_B1_a_multiprocessing_pool_that_forks(self):
        self.assert_pool_refused("pool", ("clone",))

    def test_B1_a_multiprocessing_pool_that_spawns(self):
        self.assert_pool_refused("pool-spawn", FORKS)

    def test_B1_a_pool_behind_asyncio(self):
        self.assert_pool_refused("async", ("clone",))

    def test_B1_a_pool_within_its_max_processes_works(self):
        job, attempt, out, _ = self.run_task("pools.py", "executor-fork", 4,
                                             max_processes=2)
        self.assert_succeeded(job)
        self.assertEqual(out, b"[0, 1, 4, 9]\n")
        self.assertEqual(list(attempt.nested_calls), [])

    def test_B1_a_pool_above_a_max_processes_of_two_is_counted_and_ended(self):
        job, attempt, _, _ = self.run_task("fork_bomb.py", 8, max_processes=3)
        self.assert_nested_pool(job, "python3 had ", " processes at one time",
                                "(max_processes 3)")
        self.assertGreater(attempt.evidence.process_count, 3)

    def test_B1_a_bounded_fork_bomb(self):
        job, attempt, out, _ = self.run_task("fork_bomb.py", 8)
        self.assert_nested_pool(job, "python3 wanted another process (clone)")
        self.assertEqual(attempt.evidence.process_count, 2)
        self.assertLessEqual(out.count(b"sleeps"), 2)

    def test_B1_a_fork_bomb_that_may_have_no_process(self):
        job, attempt, _, _ = self.run_task("fork_bomb.py", 8, max_processes=0)
        self.assert_nested_pool(
            job, "python3 wanted a process (clone), and may have none "
            "(max_processes 0)")
        self.assertEqual(attempt.evidence.process_count, 1)

    def test_B1_an_unlimited_fork_bomb_dies_as_a_whole(self):
        """256 processes that are only counted: AUDIT."""
        job, attempt, out, _ = self.run_task(
            "fork_bomb.py", 8, on_nested_pool=Spec.ON_NESTED_POOL_AUDIT,
            inactivity=1)
        self.assert_failed(job, Failure.REASON_INACTIVITY_TIMEOUT)
        self.assertEqual(out.count(b"sleeps"), 256)
        self.assertEqual(attempt.evidence.process_count, 256)
        self.assertEqual(len(attempt.evidence.processes), 32)
        call, = attempt.nested_calls
        self.assertEqual((call.program, call.outcome),
                         ("python3", Outcome.OUTCOME_ALLOWED))


class ThreadsTest(NestingTestCase):

    def test_B1_nested_thread_pools_within_the_limit_work(self):
        job, attempt, out, _ = self.run_task("pools.py", "threads", 40)
        self.assert_succeeded(job)
        self.assertTrue(out.startswith(b"[0, 1, 4, 9, 16"), out)
        self.assertEqual(list(attempt.nested_calls), [])

    def test_B1_nested_thread_pools_above_the_limit(self):
        """A failure for want of threads, which is tried again."""
        job, _, _, _ = self.run_task("pools.py", "threads", 40, max_threads=3,
                                     maximum_attempts=2)
        self.assert_failed(
            job, Failure.REASON_RESOURCE_EXHAUSTED,
            "python3 had all the threads it may have", "(max_threads 3)",
            "nested thread pools", "start new thread")
        self.assertEqual(job.failure.exhaustion, Failure.EXHAUSTION_TASK)
        self.assertIn("Thread pools inside thread pools", job.failure.advice)
        self.assertEqual(len(job.attempts), 2)
        for attempt in job.attempts:
            call, = attempt.nested_calls
            self.assertEqual((call.program, call.call, call.outcome),
                             ("python3", "thread", Outcome.OUTCOME_REFUSED))

    def test_B1_a_thread_bomb(self):
        job, attempt, out, _ = self.run_task("thread_bomb.py", 10000,
                                             maximum_attempts=1)
        self.assert_failed(job, Failure.REASON_RESOURCE_EXHAUSTED,
                           "was refused 1 more (max_threads 256)")
        self.assertEqual(job.failure.exhaustion, Failure.EXHAUSTION_TASK)
        # The first thread is the 256th.
        self.assertIn(b"started 255 threads: can't start new thread", out)
        self.assertEqual(attempt.nested_calls[0].count, 1)

    def test_B1_threads_up_to_the_limit_are_all_allowed(self):
        job, _, out, _ = self.run_task("thread_bomb.py", 9, max_threads=10)
        self.assert_succeeded(job)
        self.assertEqual(out, b"started 9 threads\n")
        job, _, out, _ = self.run_task("thread_bomb.py", 10, max_threads=10,
                                       maximum_attempts=1)
        self.assert_failed(job, Failure.REASON_RESOURCE_EXHAUSTED)
        self.assertIn(b"started 9 threads: can't start", out)


class HelpersTest(NestingTestCase):
    """Other programs that work for a task."""

    def test_B1_one_helper_at_a_time_works_by_default(self):
        for kind in "posix-spawn", "subprocess-run":
            job, attempt, out, _ = self.run_task("shellout.py", kind)
            self.assert_succeeded(job)
            self.assertEqual(out, b"said: from a helper\nended: 0\n")
            self.assertEqual(list(attempt.nested_calls), [])

    def test_B1_a_shell_is_a_helper_and_what_it_starts_another(self):
        """dash starts the command of os.system beside itself."""
        for kind in "os-system", "popen":
            job, attempt, _, _ = self.run_task("shellout.py", kind)
            self.assert_nested_pool(job, "sh wanted another process (vfork)")
            self.assertEqual(attempt.nested_calls[0].program, "sh")
            job, _, out, _ = self.run_task("shellout.py", kind,
                                           max_processes=2)
            self.assert_succeeded(job)
            self.assertIn(b"from a helper", out)
            self.assertIn(b"ended: 0\n", out)

    def test_B1_a_pipeline_of_a_shell_is_refused_and_can_be_allowed(self):
        job, _, _, err = self.run_task("shellout.py", "pipeline")
        self.assert_nested_pool(job, "sh wanted another process (")
        job, attempt, out, err = self.run_task("shellout.py", "pipeline",
                                               max_processes=10)
        self.assert_succeeded(job)
        self.assertEqual((out, err), (b"said: 999\nended: 0\n", b""))
        self.assertEqual(list(attempt.nested_calls), [])

    def test_B1_the_pipeline_may_be_the_task_itself(self):
        """A shell with two more processes at one time."""
        request = self.cluster.command(
            "/bin/sh", "-c", "seq 1000 | sort | tail -1")
        job, _, _ = self.cluster.run(request)
        self.assert_nested_pool(job, "sh wanted another process (")
        request.spec.max_processes = 10
        job, out, _ = self.cluster.run(request)
        self.assert_succeeded(job)
        self.assertEqual(out, b"999\n")


if __name__ == "__main__":
    unittest.main()

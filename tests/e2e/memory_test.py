"""B3 and A12: a task that takes too much memory ends as OUT_OF_MEMORY, by its
own limit or by the kernel's hand, and one that ran out of something else is
tried again as RESOURCE_EXHAUSTED; each says whose shortage it was. The host has
room in all of these tests.
"""
import contextlib
import unittest

from cluster import PYTHON, TASKS, Cluster
from nesting_case import Failure, NestingTestCase, cgroup_of_a_test

MIB = 1 << 20
# What the kernel allows the coordinator and all below it: some 60 MiB are
# theirs.
GROUP_BYTES = 256 * MIB


class MaxRssTest(NestingTestCase):

    def run_hog(self, *args):
        """A hog that may have 100 MiB and takes up to 2 GiB."""
        job, attempt, out, _ = self.run_task(
            "memory_hog.py", 20, 100, 0.1, *args, max_rss_bytes=100 * MIB,
            shutdown_grace=30)
        self.assert_failed(job, Failure.REASON_OUT_OF_MEMORY,
                           "MiB of memory (max_rss 100.0 MiB)")
        self.assertEqual(job.failure.exhaustion, Failure.EXHAUSTION_TASK)
        self.assertIn("--max_rss", job.failure.advice)
        self.assertEqual(len(job.attempts), 1)
        # Without grace: in it a task could go on.
        self.assertTrue(attempt.evidence.killed)
        self.assertLess(attempt.evidence.time_to_confirmed_death.ToSeconds(),
                        20)
        self.assertIn(b"80 MiB\n", out)
        self.assertNotIn(b"400 MiB\n", out)
        self.assertGreater(attempt.evidence.rss_bytes, 100 * MIB)
        return attempt.evidence.processes

    def test_B3_a_task_above_max_rss_is_killed(self):
        process, = self.run_hog()
        self.assertGreater(process.peak_rss_bytes, 100 * MIB)

    def test_B3_the_memory_of_a_child_counts(self):
        parent, child = self.run_hog("child")
        self.assertEqual(child.parent_pid, parent.pid)
        self.assertLess(parent.peak_rss_bytes, 60 * MIB)
        self.assertGreater(child.peak_rss_bytes, 80 * MIB)

    def test_B3_a_task_below_max_rss_is_left_alone(self):
        job, _, out, _ = self.run_task("memory_hog.py", 20, 3, 0.2,
                                       max_rss_bytes=100 * MIB)
        self.assert_succeeded(job)
        self.assertEqual(out, b"20 MiB\n40 MiB\n60 MiB\n")


class ExhaustionTest(NestingTestCase):

    TEXT = ("BlockingIOError: [Errno 11] Resource temporarily unavailable",
            "OSError: [Errno 24] Too many open files",
            "OSError: [Errno 12] Cannot allocate memory")

    def test_B3_what_a_task_says_on_stderr_is_retried_and_its_own(self):
        for text in self.TEXT:
            job, _, err = self.cluster.run(self.cluster.command(
                PYTHON, "-c", f"import sys; sys.exit('{text}')",
                maximum_attempts=3, initial_interval=0.05))
            self.assert_failed(job, Failure.REASON_RESOURCE_EXHAUSTED, text,
                               "a limit of the task's own: its host has room")
            self.assertEqual(len(job.attempts), 3)
            self.assertEqual(err.decode(), f"{text}\n" * 3)
            for attempt in job.attempts:
                self.assertEqual(attempt.failure.exhaustion,
                                 Failure.EXHAUSTION_TASK)

    def test_B3_the_retry_succeeds(self):
        once = self.cluster.dir / "once"
        job, out, _ = self.cluster.run(self.cluster.command(
            "/bin/sh", "-c",
            f'if mkdir "{once}"; then echo "{self.TEXT[0]}" >&2; exit 1; fi; '
            "echo better", max_processes=2, initial_interval=0.05))
        self.assert_succeeded(job)
        self.assertEqual(out, b"better\n")
        first, second = job.attempts
        self.assertEqual(first.failure.reason,
                         Failure.REASON_RESOURCE_EXHAUSTED)
        self.assertFalse(second.HasField("failure"))


class OomKillTest(unittest.TestCase):
    """The kernel kills in a control group of the test's own, which lies below
    this process's, so that all limits above it hold as before.
    """

    def setUp(self):
        group = cgroup_of_a_test("memory")
        try:
            group.mkdir()
        except OSError as error:
            self.skipTest(f"{group} cannot be made: {error}")
        self.addCleanup(group.rmdir)
        (group / "memory.limit_in_bytes").write_text(str(GROUP_BYTES))
        # Swap would only make it last longer.
        with contextlib.suppress(OSError):
            (group / "memory.memsw.limit_in_bytes").write_text(
                str(GROUP_BYTES))
        self.cluster = Cluster(local_slots=1, prefix=[
            "/bin/sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', group])
        self.cluster.__enter__()
        self.addCleanup(self.cluster.stop)
        self.group = group

    def test_A12_the_kernels_kill_is_told_from_others(self):
        coordinator = self.cluster.coordinator.pid
        worker = self.cluster.local_worker_pid()
        members = (self.group / "cgroup.procs").read_text().split()
        self.assertIn(str(worker), members)
        job, out, _ = self.cluster.run(self.cluster.command(
            PYTHON, f"{TASKS}/memory_hog.py", 16, 64, 0.02,
            retry_on=[Failure.REASON_NONZERO_EXIT]))
        self.assertEqual(job.failure.reason, Failure.REASON_OUT_OF_MEMORY, job)
        self.assertIn("ended by signal 9 (Killed), by the kernel, because "
                      "memory was short (its control group counts one more "
                      "such kill)", job.failure.message)
        self.assertEqual(job.failure.exhaustion, Failure.EXHAUSTION_TASK)
        self.assertEqual(len(job.attempts), 1)
        self.assertEqual(job.exit.signal, 9)
        self.assertIn(b"16 MiB\n", out)
        self.assertNotIn(b"256 MiB\n", out)
        # It was the hog, and nobody else.
        job, out, _ = self.cluster.run(self.cluster.command("/bin/echo", "on"))
        self.assertEqual(out, b"on\n")
        self.assertIsNone(self.cluster.coordinator.poll())
        self.assertEqual(self.cluster.coordinator.pid, coordinator)
        self.assertEqual(self.cluster.local_worker_pid(), worker)
        self.assertEqual(self.cluster.get_status().local_workers_replaced, 0)

    def test_A12_a_kill_by_somebody_else_is_not_the_kernels(self):
        job, _, _ = self.cluster.run(self.cluster.command(
            "/bin/sh", "-c", "kill -9 $$"))
        self.assertEqual(job.failure.reason, Failure.REASON_SIGNALLED, job)
        self.assertIn("which Vigil did not send", job.failure.message)


if __name__ == "__main__":
    unittest.main()

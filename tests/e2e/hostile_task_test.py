"""A6 and C6: programs that leave their parents, ignore signals, stop
themselves, close what they have, flood, or turn against their slot. Each ends
typed, with its tree as it was before the kill as evidence; nothing of it is
left, and the slot takes the next job at once.
"""
import pathlib
import unittest

from cluster import State, alive, wait_until
from nesting_case import Failure, NestingTestCase, Outcome, Spec

QUIET = {"inactivity": 0.6}


class EscapeTest(NestingTestCase):
    """Processes that get away from the task."""

    def pid_file(self, name):
        return self.cluster.dir / name

    def pids_in(self, name):
        return [int(line) for line in
                self.pid_file(name).read_text().splitlines()]

    def test_C6_a_daemon_by_two_forks_is_refused_at_the_second(self):
        job, _, _, _ = self.run_task("daemonize.py", self.pid_file("daemon"))
        self.assert_nested_pool(job, "while 1 lived beside the task's own")
        self.assertFalse(self.pid_file("daemon").exists())

    def test_C6_a_daemon_dies_with_its_task_though_that_succeeded(self):
        job, attempt, out, _ = self.run_task(
            "daemonize.py", self.pid_file("allowed"), max_processes=10)
        self.assert_succeeded(job)
        self.assertEqual(out, b"daemon started\n")
        self.assertEqual(attempt.evidence.leftover_processes_killed, 1)
        self.assertFalse(attempt.evidence.death_unconfirmed)
        if self.pid_file("allowed").exists():
            pid, = self.pids_in("allowed")
            self.assertFalse(alive(pid))

    def test_C6_a_session_of_its_own_does_not_save_a_child(self):
        job, attempt, _, _ = self.run_task(
            "escape_session.py", self.pid_file("escaped"), start_to_close=1.5)
        self.assert_failed(job, Failure.REASON_START_TO_CLOSE_TIMEOUT)
        pid, = self.pids_in("escaped")
        self.assertFalse(alive(pid))
        task, child = attempt.evidence.processes
        self.assertEqual((child.pid, child.parent_pid), (pid, task.pid))
        self.assertIn("python3", child.command)
        self.assertEqual(attempt.evidence.leftover_processes_killed, 1)

    def test_C6_a_family_that_ignores_sigterm_is_killed(self):
        job, attempt, _, _ = self.run_task(
            "family.py", self.pid_file("family"), max_processes=10, **QUIET)
        self.assert_failed(job, Failure.REASON_INACTIVITY_TIMEOUT,
                           "settled")
        pids = self.pids_in("family")
        self.assertEqual([pid for pid in pids if alive(pid)], [])
        self.assertTrue(attempt.evidence.killed)
        self.assertEqual(attempt.evidence.process_count, 3)
        self.assertEqual({process.pid for process in
                          attempt.evidence.processes}, set(pids))

    def test_C6_a_family_that_was_left_behind_is_killed(self):
        job, attempt, _, _ = self.run_task(
            "family.py", self.pid_file("orphans"), "exit", max_processes=10)
        self.assert_succeeded(job)
        self.assertEqual(attempt.evidence.leftover_processes_killed, 2)
        self.assertEqual(
            [pid for pid in self.pids_in("orphans") if alive(pid)], [])


class SilentTest(NestingTestCase):
    """Programs that say no more."""

    def test_A6_sigterm_ignored(self):
        job, attempt, _, _ = self.run_task(
            "talker.py", "ignore:TERM", "out:here", 40, **QUIET)
        self.assert_failed(job, Failure.REASON_INACTIVITY_TIMEOUT)
        self.assertTrue(attempt.evidence.killed)
        # After the grace, and not at once.
        death = attempt.evidence.time_to_confirmed_death
        self.assertGreaterEqual(death.ToMilliseconds(), 500)
        self.assertEqual(self.states(attempt), ["S"])

    def test_A6_a_task_that_stopped_itself(self):
        job, attempt, _, _ = self.run_task("stop_itself.py", **QUIET)
        self.assert_failed(job, Failure.REASON_INACTIVITY_TIMEOUT,
                           "about to stop")
        self.assertEqual(self.states(attempt), ["T"])
        self.assertEqual(attempt.evidence.last_output, b"about to stop\n")

    def test_C6_zombies_are_no_helpers_and_are_shown(self):
        """Twenty helpers, one after another: all were allowed."""
        job, attempt, out, _ = self.run_task("zombies.py", 20, **QUIET)
        self.assert_failed(job, Failure.REASON_INACTIVITY_TIMEOUT)
        self.assertEqual(out, b"20 zombies\n")
        self.assertEqual(self.states(attempt), ["S"] + ["Z"] * 20)
        self.assertEqual(list(attempt.nested_calls), [])

    def test_A6_output_that_was_closed_is_silence_and_no_end(self):
        job, attempt, out, _ = self.run_task("close_stdout.py", **QUIET)
        self.assert_failed(job, Failure.REASON_INACTIVITY_TIMEOUT)
        self.assertEqual(out, b"closing\n")
        self.assertEqual(self.states(attempt), ["S"])
        job, _, _, _ = self.run_task("close_stdout.py", 0.2)
        self.assert_succeeded(job)

    def test_A6_a_hundred_megabytes_arrive_whole(self):
        size = 100 << 20
        job, attempt, out, _ = self.run_task("flood.py", size)
        self.assert_succeeded(job)
        self.assertEqual((len(out), attempt.stdout_bytes), (size, size))
        line = b"x" * 63 + b"\n"
        self.assertEqual(out, line * (size // 64))


class DescriptorsAndFiltersTest(NestingTestCase):

    def test_B1_a_task_may_install_a_filter_but_no_listener(self):
        """Its own filter works beside Vigil's; a second listener is EBUSY."""
        job, _, out, _ = self.run_task("own_filter")
        self.assert_nested_pool(job, "own_filter wanted another process")
        lines = out.decode().splitlines()
        self.assertEqual(lines[:4], ["filter: done", "mkdir: EPERM",
                                     "listener: EBUSY", "first fork: done"])
        job, _, out, _ = self.run_task("own_filter", max_processes=10)
        self.assert_succeeded(job)
        self.assertIn(b"listener: EBUSY\n", out)
        self.assertTrue(out.endswith(b"second fork: done\nend\n"), out)

    def test_B1_closing_every_descriptor_opens_no_way_out(self):
        job, _, out, _ = self.run_task("close_all_fds.py")
        self.assert_nested_pool(job, "python3 wanted another process (clone)")
        self.assertEqual(out.splitlines()[0], b"fork 0: done")
        job, attempt, out, _ = self.run_task(
            "close_all_fds.py", max_processes=0,
            on_nested_pool=Spec.ON_NESTED_POOL_DENY)
        self.assert_succeeded(job)
        self.assertEqual(out, b"fork 0: Operation not permitted\n"
                         b"fork 1: Operation not permitted\nend\n")
        call, = attempt.nested_calls
        self.assertEqual((call.call, call.count, call.outcome),
                         ("clone", 2, Outcome.OUTCOME_REFUSED))


class AttackTest(NestingTestCase):
    """A task runs as the worker's user, so it may do to its slot what that user
    may: supervision is no security boundary. What happens is typed all the
    same.
    """

    def assert_slot_lost(self, attempt):
        self.assertEqual(attempt.failure.reason, Failure.REASON_WORKER_LOST)
        self.assertIn("the slot's process ended", attempt.failure.message)
        self.assertIn("its tree was reaped", attempt.failure.message)
        self.assertFalse(attempt.charged)

    def test_A12_a_task_that_kills_its_slot(self):
        """The kill works. The slot's death takes its task along (by PDEATHSIG),
        the worker reaps what is left and starts another process in the slot's
        place after a second; the attempt is WORKER_LOST and not charged. A job
        that may be started only once ends so; others are tried again, until ten
        attempts were lost.
        """
        before = self.slot_processes()
        job, attempt, out, _ = self.run_task(
            "attack_slot", "kill", same_slot=False, maximum_attempts=1)
        self.assert_failed(job, Failure.REASON_WORKER_LOST)
        self.assertEqual(len(job.attempts), 1)
        self.assert_slot_lost(attempt)
        self.assertNotIn(b"still here", out)
        self.assertEqual(len(self.slot_processes()), 1)
        self.assertNotEqual(self.slot_processes(), before)

    def test_A12_a_task_that_kills_its_slot_is_tried_again(self):
        job_id = self.cluster.submit(self.task(
            "attack_slot", "kill", initial_interval=0.01,
            maximum_interval=0.01))

        def lost_twice():
            job = self.cluster.get(job_id)
            return job if len(job.attempts) > 2 else None
        job = wait_until(lost_twice, "the second attempt is lost as well")
        self.cluster.cancel(job_id)
        for attempt in job.attempts[:2]:
            self.assert_slot_lost(attempt)
        self.assertEqual(self.cluster.finish(job_id).state,
                         State.STATE_CANCELLED)
        job, _, _ = self.cluster.run(self.cluster.command("/bin/true"))
        self.assert_succeeded(job)

    def test_A12_a_task_that_attaches_to_its_slot(self):
        """ptrace works where the kernel allows it (as root, or by
        /proc/sys/kernel/yama/ptrace_scope); the slot is stopped only as long as
        the task keeps it so, and here it lets go at once. The job ends by
        itself and the slot stays.
        """
        job, _, out, _ = self.run_task("attack_slot", "ptrace")
        self.assert_succeeded(job)
        yama = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
        if not yama.exists() or yama.read_text().strip() == "0":
            self.assertTrue(out.startswith(b"ptrace: done\n"), out)
        else:
            self.assertRegex(out, b"^ptrace: (done|EPERM)\n")
        self.assertIn(b"still here 9\n", out)


if __name__ == "__main__":
    unittest.main()

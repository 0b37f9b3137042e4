"""C2: what those who watch a job, run it or look at it later are told of its
pools, while it runs and afterwards, also if it succeeded; and of a task that
hangs, what it was doing.
"""
import re
import signal
import subprocess
import threading
import unittest

from cluster import (
    PATIENCE, PYTHON, TASKS, VIGIL, State, processes_with, wait_until)
from nesting_case import (
    Failure, NestingTestCase, Outcome, Spec, stderr_of)
from vigil.v1 import job_service_pb2

DENY = Spec.ON_NESTED_POOL_DENY


class WatchTest(NestingTestCase):
    """While the job runs: fork_bomb.py sleeps once it is refused a fork."""

    def watch_notice(self, request):
        """The first notice of a job, which still runs when it arrives."""
        stream = self.cluster.jobs.RunJob(
            job_service_pb2.RunJobRequest(job=request), timeout=PATIENCE)
        job_id = None
        for response in stream:
            event = response.event
            if event.HasField("job"):
                job_id = event.job.job_id
            if event.HasField("notice"):
                break
        else:
            self.fail("no notice")
        self.assertEqual(self.cluster.get(job_id).state, State.STATE_RUNNING)
        self.cluster.cancel(job_id)
        rest = [response.event for response in stream]
        self.assertFalse(any(other.HasField("notice") for other in rest))
        self.assertEqual(rest[-1].job.state, State.STATE_CANCELLED)
        return event.notice, rest[-1].job

    def test_C2_the_first_denial_reaches_who_watches(self):
        notice, job = self.watch_notice(
            self.task("fork_bomb.py", 1, on_nested_pool=DENY))
        self.assertEqual(notice.reason, Failure.REASON_NESTED_POOL)
        self.assertEqual(notice.message,
                         "python3 wanted a process (clone), and may have none "
                         "(max_processes 0); it was refused")
        self.assertIn("--max_processes", notice.advice)
        call, = job.attempts[0].nested_calls
        self.assertEqual((call.program, call.call, call.count, call.outcome),
                         ("python3", "clone", 1, Outcome.OUTCOME_REFUSED))

    def test_C2_under_audit_who_watches_is_told_as_well(self):
        notice, _ = self.watch_notice(self.task(
            "fork_bomb.py", 2, on_nested_pool=Spec.ON_NESTED_POOL_AUDIT,
            max_processes=0))
        self.assertEqual(notice.reason, Failure.REASON_NESTED_POOL)
        self.assertIn("they are only counted (AUDIT)", notice.message)

    def test_B1_a_refused_thread_reaches_who_watches(self):
        """The threads are there, and the program does not mind."""
        program = ("import threading, time\n"
                   "try:\n"
                   "  for _ in range(9):\n"
                   "    threading.Thread(target=time.sleep, args=(30,),\n"
                   "                     daemon=True).start()\n"
                   "except RuntimeError: print('enough')\n"
                   "time.sleep(30)")
        notice, _ = self.watch_notice(self.cluster.command(
            PYTHON, "-c", program, max_threads=4, shutdown_grace=0.5))
        self.assertEqual(notice.reason, Failure.REASON_RESOURCE_EXHAUSTED)
        self.assertEqual(notice.message, "python3 wanted another thread while "
                         "4 lived (max_threads 4); it was refused")
        self.assertIn("--max_threads", notice.advice)

    def test_C2_vigil_run_says_at_once_what_was_refused_and_how_to_allow(self):
        mark = f"{self.cluster.dir}/run."
        runner = subprocess.Popen(
            [VIGIL, "run", f"--address={self.cluster.address}",
             "--on_nested_pool=deny", f"--env=MARK={mark}", "--", PYTHON,
             f"{TASKS}/fork_bomb.py", "1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        alarm = threading.Timer(PATIENCE, runner.kill)
        alarm.start()
        try:
            said = []
            for line in runner.stderr:
                said.append(line.strip())
                if "--max_processes" in line:
                    break
            self.assertTrue(processes_with(mark), "the task still runs")
            self.assertIn("vigil: python3 wanted a process (clone), and may "
                          "have none (max_processes 0); it was refused", said)
            self.assertRegex(said[-1], "^vigil: .*--max_processes")
            runner.send_signal(signal.SIGINT)
            runner.stderr.read()
            self.assertNotEqual(runner.wait(PATIENCE), 0)
        finally:
            alarm.cancel()
            runner.kill()
            runner.wait()
            runner.stderr.close()
        wait_until(lambda: not processes_with(mark), "the task is gone")


class AfterwardsTest(NestingTestCase):

    # Has its own way to go on.
    FALLBACK = ("import os\n"
                "for _ in range(3):\n"
                "  try: os.fork()\n"
                "  except PermissionError: pass\n"
                "print('done alone')")

    def explain(self, job):
        return self.cluster.vigil("explain", job.job_id).stdout.decode()

    def test_C2_denials_of_a_job_that_succeeded_are_shown(self):
        job, out, _ = self.cluster.run(self.cluster.command(
            PYTHON, "-c", self.FALLBACK, on_nested_pool=DENY))
        self.assert_succeeded(job)
        self.assertEqual(out, b"done alone\n")
        call, = job.attempts[0].nested_calls
        self.assertEqual((call.program, call.call, call.count, call.outcome),
                         ("python3", "clone", 3, Outcome.OUTCOME_REFUSED))
        shown = self.explain(job)
        self.assertIn("nested: python3 called clone 3 times, refused\n", shown)
        self.assertIn("how to allow: --max_processes=N (now 0)", shown)

    def test_C2_vigil_run_sums_up_what_was_refused(self):
        ended = self.cluster.vigil("run", "--on_nested_pool=deny", "--",
                                   PYTHON, "-c", self.FALLBACK)
        self.assertEqual((ended.returncode, ended.stdout),
                         (0, b"done alone\n"))
        self.assertIn("vigil: 3 processes were refused (python3: clone); "
                      "--max_processes=N allows more",
                      stderr_of(ended.stderr))

    def test_C2_sequential_pools_are_shown_with_their_place(self):
        job, _, _, _ = self.run_task(
            "songs.py", 2, 1, 2,
            on_nested_pool=Spec.ON_NESTED_POOL_SEQUENTIAL)
        self.assert_succeeded(job)
        self.assertRegex(self.explain(job),
                         r"nested: \S+ opened ProcessPoolExecutor 2 times, run "
                         r"in the task's own process, last at songs\.py:\d+\n")

    def test_A12_explain_shows_the_tree_before_the_kill(self):
        job, attempt, _, _ = self.run_task("pools.py", "executor-fork", 4)
        self.assert_nested_pool(job)
        shown = self.explain(job)
        self.assertIn("because: NESTED_POOL: python3 wanted another process",
                      shown)
        self.assertIn("nested: python3 called clone 1 time, refused\n", shown)
        self.assertIn("before the kill: 2 processes, together 2 threads", shown)
        task, helper = attempt.evidence.processes
        # Each below its parent, and further in.
        self.assertTrue(re.search(
            rf"^    {task.pid} .*: (running|sleeping).*\n"
            rf"      {helper.pid} .*: (running|sleeping)", shown, re.MULTILINE),
                        shown)

    def test_C6_explain_shows_zombies_and_stopped_processes(self):
        job, _, _, _ = self.run_task("zombies.py", 2, inactivity=0.5)
        self.assertEqual(self.explain(job).count(
            "zombie: it has ended, and its parent has not waited for it"), 2)
        job, _, _, _ = self.run_task("stop_itself.py", inactivity=0.5)
        self.assertRegex(self.explain(job), r"python3 .*: stopped")


class StackDumpTest(NestingTestCase):

    def test_A12_a_hung_task_shows_where_it_hangs(self):
        job, attempt, _, err = self.run_task(
            "dump_me.py", inactivity=0.5, stack_dump_signal=signal.SIGUSR1)
        self.assert_failed(job, Failure.REASON_INACTIVITY_TIMEOUT,
                           "about to hang")
        dump = attempt.evidence.stack_dump.decode()
        self.assertIn("in stuck_here\n", dump)
        self.assertIn("in waits_too\n", dump)
        self.assertIn(attempt.evidence.stack_dump, err)
        shown = self.cluster.vigil("explain", job.job_id).stdout.decode()
        self.assertIn("stack dump, from its stderr:\n", shown)
        self.assertIn("in stuck_here\n", shown)

    def test_A12_a_program_without_a_handler_is_not_sent_the_signal(self):
        """It would have ended of it: it ends of SIGTERM, half a second later.
        """
        job, _, _ = self.cluster.run(self.cluster.command(
            "/bin/sh", "-c", "sleep 30", startup=0.5,
            stack_dump_signal=signal.SIGUSR1))
        self.assert_failed(job, Failure.REASON_STARTUP_TIMEOUT)
        attempt, = job.attempts
        self.assertEqual(attempt.exit.signal, signal.SIGTERM)
        self.assertEqual(attempt.evidence.stack_dump, b"")

    def test_A12_none_is_asked_for_when_a_client_cancels(self):
        """A cancel is no clock: nobody asks what the task was doing."""
        job_id = self.cluster.submit(self.task(
            "dump_me.py", stack_dump_signal=signal.SIGUSR1))
        wait_until(lambda: self.cluster.get(job_id).attempts and
                   self.cluster.get(job_id).attempts[0].stdout_bytes,
                   "it hangs")
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assertEqual(job.state, State.STATE_CANCELLED)
        self.assertEqual(job.attempts[0].evidence.stack_dump, b"")


if __name__ == "__main__":
    unittest.main()

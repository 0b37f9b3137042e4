"""C1: a task cannot submit jobs, which would wait for the slot that it holds,
nor start a part of Vigil. Whatever it tries is refused by name, with the task's
own job in the message, and is told as the cause of its failure. It may look,
watch and cancel.
"""
import os
import unittest

from cluster import (
    COORDINATOR, PYTHON, TASKS, VIGIL, WORKER, Cluster, Reason, State)
from vigil.v1 import job_service_pb2

SLOT = os.path.abspath("worker/slot/slot")
# What nested_dispatch.py imports.
IMPORTS = ":".join(map(os.path.abspath, (
    "tests/e2e/stubs/python", "client/python")))

CATALOG = f"""task_types {{
    name: "nested"
    argv: "{PYTHON}" argv: "{TASKS}/nested_dispatch.py"
    argv: "{{catalog_dir}}/s"
    env {{ key: "PYTHONPATH" value: "{IMPORTS}" }}
    frames: FRAMES_JSON
}}"""


def parent(job):
    """How messages name the only attempt of a job."""
    return f"job {job.job_id} (attempt 1) is a task of Vigil"


def refusal(job):
    """What a job is told that submits another."""
    return (f"NESTED_DISPATCH: {parent(job)} and cannot submit jobs: it would "
            "wait for a slot that it holds itself; submit from the client "
            "instead")


class NestedDispatchTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(catalog=CATALOG)
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def setUp(self):
        self.counted = self.count()

    def count(self):
        """GetStatus counts the jobs that were refused."""
        return self.cluster.get_status().nested_dispatches

    def run_command(self, *argv, **options):
        """Runs a command that may have processes of its own."""
        return self.cluster.run(self.cluster.command(
            *argv, max_processes=100, start_to_close=60, **options))

    def run_client(self, *steps):
        """Runs nested_dispatch.py: the job, and the lines of its calls."""
        job, out, err = self.run_command(
            PYTHON, f"{TASKS}/nested_dispatch.py", self.cluster.dir / "s",
            *steps, env={"PYTHONPATH": IMPORTS})
        self.assertEqual(err, b"")
        return job, out.decode().splitlines()

    def run_warm(self, *steps):
        """Runs nested_dispatch.py as a warm task."""
        request = job_service_pb2.SubmitJobRequest()
        request.spec.task_type = "nested"
        request.spec.input = " ".join(steps).encode()
        job, out, _ = self.cluster.run(request)
        return job, out.decode().splitlines()

    def assert_blamed(self, job, jobs, end):
        """It failed because of `jobs` jobs that it submitted."""
        self.assertEqual(job.state, State.STATE_FAILED, job)
        self.assertEqual(job.failure.reason, Reason.REASON_NESTED_DISPATCH)
        self.assertIn(parent(job), job.failure.message)
        self.assertIn(end, job.failure.message)
        self.assertIn("submit them from the client", job.failure.advice)
        self.assertEqual(job.attempts[0].failure, job.failure)
        self.assertEqual(job.attempts[0].nested_dispatches, jobs)
        self.assertEqual(len(job.attempts), 1)
        self.assertEqual(self.count(), self.counted + jobs)

    # --- the command line
    def test_C1_vigil_run_in_a_task_is_refused_by_name(self):
        job, out, err = self.run_command(
            VIGIL, "run", f"--address={self.cluster.address}", "--", "true")
        self.assertEqual(out, b"")
        self.assertEqual(err.decode(),
                         f"vigil: FAILED_PRECONDITION: {refusal(job)}\n")
        self.assert_blamed(job, 1, "NONZERO_EXIT: ")
        self.assertEqual(job.exit.status, 125)

    def test_C1_vigil_batch_in_a_task_is_refused_by_name(self):
        job, _, err = self.run_command(
            VIGIL, "batch", f"--address={self.cluster.address}", "--", "echo",
            input=b"one\ntwo\nthree\n")
        self.assertIn(f"vigil: FAILED_PRECONDITION: {refusal(job)}\n",
                      err.decode())
        # One call, whatever it would have brought.
        self.assert_blamed(job, 1, "NONZERO_EXIT: ")
        self.assertEqual(job.exit.status, 125)

    def test_C1_no_private_coordinator_is_started_in_a_task(self):
        job, out, err = self.run_command(
            VIGIL, "run", "--", "echo", "it ran",
            env={"XDG_RUNTIME_DIR": f"{self.cluster.dir}/nothing"})
        self.assertEqual((out, err.decode()),
                         (b"", f"vigil: {refusal(job)}\n"))
        self.assertEqual(job.exit.status, 125)

    def test_C1_it_is_said_also_where_no_coordinator_listens(self):
        for verb in ("run", "batch"):
            job, _, err = self.run_command(
                VIGIL, verb, f"--address=unix:{self.cluster.dir}/nobody",
                "--", "true")
            self.assertEqual(err.decode(), f"vigil: {refusal(job)}\n")
            self.assertEqual(job.exit.status, 125)

    def test_C1_the_command_line_may_look(self):
        shell = (f"{VIGIL} status --address={self.cluster.address} && "
                 f"{VIGIL} explain --address={self.cluster.address} "
                 "$VIGIL_JOB_ID")
        job, out, err = self.run_command("/bin/sh", "-c", shell)
        self.assertEqual(job.state, State.STATE_SUCCEEDED, err)
        self.assertIn(job.job_id, out.decode())
        self.assertEqual(self.count(), self.counted)

    # --- another language
    def test_C1_every_submission_is_refused_by_name(self):
        job, lines = self.run_client("submit", "submit_many:5", "run",
                                     "exit:3")
        self.assertEqual(lines, [
            f"{call}: FAILED_PRECONDITION: {refusal(job)}"
            for call in ("submit", "submit_many", "run")])
        self.assert_blamed(job, 7, "NONZERO_EXIT: ")

    def test_C1_a_task_that_goes_on_after_a_refusal_succeeds(self):
        job, _ = self.run_client("submit")
        self.assertEqual(job.state, State.STATE_SUCCEEDED)
        self.assertEqual(job.attempts[0].nested_dispatches, 1)
        # As it was stored.
        self.assertEqual(
            self.cluster.get(job.job_id).attempts[0].nested_dispatches, 1)

    def test_C1_a_failure_of_another_kind_keeps_its_reason(self):
        job, _ = self.run_client("submit", "exit:65")
        self.assertEqual(job.failure.reason, Reason.REASON_INVALID_INPUT)
        self.assertEqual(job.attempts[0].nested_dispatches, 1)

    def test_C1_a_task_may_look_watch_and_cancel(self):
        other = self.cluster.submit(self.cluster.talker(600))
        job, lines = self.run_client("status", "get", f"cancel:{other}")
        self.assertEqual(lines, ["status: OK", "get: OK", "cancel: OK"])
        self.assertEqual(job.state, State.STATE_SUCCEEDED)
        self.assertEqual(self.cluster.finish(other).state,
                         State.STATE_CANCELLED)
        self.assertEqual(self.count(), self.counted)

    def test_C1_a_damaged_token_is_refused_too(self):
        job, lines = self.run_client("forge:nonsense", "submit", "exit:3")
        self.assertEqual(len(lines), 1)
        self.assertIn("submit: FAILED_PRECONDITION: NESTED_DISPATCH: what runs "
                      "with VIGIL_TASK=nonsense is a task of Vigil", lines[0])
        # Nobody knows whose it is.
        self.assertEqual(job.failure.reason, Reason.REASON_NONZERO_EXIT)
        self.assertEqual(self.count(), self.counted + 1)

    def test_C1_an_empty_token_is_none(self):
        job, lines = self.run_client("forget", "submit")
        self.assertEqual(lines, ["submit: OK"])
        self.assertEqual(job.state, State.STATE_SUCCEEDED)
        self.assertEqual(self.count(), self.counted)

    # --- warm tasks
    def test_C1_a_warm_task_is_refused_and_blamed(self):
        job, _ = self.run_warm("status")
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        # In a process that waited for it, and at once.
        job, lines = self.run_warm("submit", "exit:3")
        self.assertEqual(len(lines), 1)
        worker = job.attempts[0].worker_id
        self.assertIn(
            "submit: FAILED_PRECONDITION: NESTED_DISPATCH: a warm task of type "
            f"nested (worker {worker}, slot ", lines[0])
        self.assert_blamed(job, 1, "TASK_ERROR: ")

    # --- parts of Vigil
    def assert_does_not_start(self, what, *argv):
        job, out, err = self.run_command(*argv)
        self.assertEqual(job.exit.status, 64, (job, err))
        self.assertEqual(out, b"")
        self.assertEqual(err.count(b"\n"), 1)
        self.assertIn(f"NESTED_DISPATCH: {parent(job)} and cannot start {what}"
                      ": it would end with the task; start it outside of "
                      "tasks", err.decode())

    def test_C1_no_coordinator_starts_in_a_task(self):
        directory = self.cluster.dir / "inner"
        self.assert_does_not_start(
            "a coordinator", COORDINATOR, f"--listen=unix:{directory}.s",
            f"--data_dir={directory}", "--local_slots=1")
        self.assertFalse(directory.exists())

    def test_C1_no_worker_starts_in_a_task(self):
        directory = self.cluster.dir / "inner_worker"
        self.assert_does_not_start(
            "a worker", WORKER, f"--coordinator={self.cluster.address}",
            f"--data_dir={directory}", "--slots=1")
        self.assertFalse(directory.exists())

    def test_C1_no_slot_starts_in_a_task(self):
        self.assert_does_not_start("a slot", SLOT)

    def test_C1_slots_that_were_full_of_such_tasks_are_free_again(self):
        # As many as there are slots, each of which wants one more job at the
        # same time.
        jobs = [self.cluster.submit(self.cluster.command(
            VIGIL, "run", f"--address={self.cluster.address}", "--", "true",
            max_processes=100)) for _ in range(2 * self.cluster.slots)]
        for job_id in jobs:
            self.assertEqual(self.cluster.finish(job_id).failure.reason,
                             Reason.REASON_NESTED_DISPATCH)


if __name__ == "__main__":
    unittest.main()

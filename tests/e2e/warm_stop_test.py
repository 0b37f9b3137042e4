"""A warm task that is told to stop: what it hands in by then is kept as partial
result, and its process stays; one that does not listen is proved dead before
its job is reported ended (row A6), and the next attempt goes on from its last
checkpoint.
"""
import json
import os
import signal
import unittest

from cluster import (
    PYTHON, TASKS, Phase, Reason, State, alive, processes_with, wait_until)
from deadline_case import seconds
from loss_case import LEASE, parent_of
from vigil.v1 import job_service_pb2
from warm_case import (
    FOR_EVER, JSON, STARTED, WarmTestCase, catalog_pb2, checkpoint, duration,
    failed, job_of, raw_type, result, token)

COOPERATIVE = catalog_pb2.TaskType(
    name="cooperative", frames=JSON,
    argv=[PYTHON, f"{TASKS}/cooperative_task.py", "{catalog_dir}/marker"],
    env={"PYTHONPATH": os.path.abspath("client/python")},
    timeouts={"shutdown_grace": duration(30)})


class WarmStopCase(WarmTestCase):

    def setUp(self):
        self.addCleanup(lambda: self.assertEqual(
            self.run_steps("task", STARTED, result())[0].state,
            State.STATE_SUCCEEDED))

    def start(self, *steps, **options):
        """Submits a job and returns its id when it is active."""
        job_id = self.submit_steps("task", STARTED, *steps, **options)
        self.cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        return job_id

    def wait_token(self, job_id):
        """Waits until the job has said something."""
        wait_until(lambda: self.cluster.get(job_id).attempts[-1].tokens,
                   "a token is seen")

    def assert_cancelled(self, job):
        self.assertEqual(job.state, State.STATE_CANCELLED, job)
        self.assertEqual(job.failure.reason, Reason.REASON_CANCELLED)


class StopTest(WarmStopCase):

    types = (raw_type("task", timeouts={"shutdown_grace": duration(30)}),)

    def test_A7_a_result_after_stop_is_kept_as_partial_and_the_process_stays(
            self):
        job_id = self.start(token("a"), ["stop"], result("so far"))
        self.wait_token(job_id)
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assert_cancelled(job)
        self.assertEqual(job.partial_result, b"so far")
        self.assertFalse(job.HasField("result"))
        self.assertFalse(job.attempts[0].HasField("exit"))
        pid = self.pid_of("task", job_id)
        job, _, _ = self.run_steps("task", STARTED, result())
        self.assertEqual(self.pid_of("task", job.job_id), pid)

    def test_A7_an_error_after_stop_keeps_the_process_too(self):
        job_id = self.start(token("a"), ["stop"], failed("gave up"))
        self.wait_token(job_id)
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assert_cancelled(job)
        self.assertFalse(job.HasField("partial_result"))
        self.assertTrue(alive(self.pid_of("task", job_id)))

    def test_A7_a_clock_stops_it_the_same_way(self):
        job, _, _ = self.run_steps("task", STARTED, token("a"), ["stop"],
                                   checkpoint("state"), result("so far"),
                                   inactivity=1)
        self.assert_failed(job, Reason.REASON_INACTIVITY_TIMEOUT)
        # What it handed in is worth more than its checkpoint.
        self.assertEqual(job.partial_result, b"so far")
        self.assertTrue(alive(self.pid_of("task", job.job_id)))

    def test_A7_a_checkpoint_after_stop_serves_the_retry(self):
        job, out, _ = self.run_steps(
            "task", STARTED, ["upto", 1, token("a"), ["stop"],
                              checkpoint("where it was"), failed("stopped")],
            ["start"], result(), inactivity=1,
            retry_on=[Reason.REASON_INACTIVITY_TIMEOUT])
        self.assert_succeeded(job)
        start = json.loads(out[1:])
        self.assertEqual(start["checkpoint"], {"text": "where it was"})
        self.assertEqual(start["attempt"], 2)

    def test_A6_a_stop_that_is_ignored_ends_in_a_kill_of_the_tree(self):
        job_id = self.start(["child"], checkpoint("state"), token("a"),
                            FOR_EVER, shutdown_grace=1)
        self.wait_token(job_id)
        pid = self.pid_of("task", job_id)
        tree = [other for other in processes_with("task.journal")
                if other == pid or parent_of(other) == pid]
        self.assertEqual(len(tree), 2)
        self.cluster.cancel(job_id)
        self.cluster.wait_phase(job_id, Phase.PHASE_STOPPING)
        job = self.cluster.finish(job_id)
        self.assertFalse(any(map(alive, tree)))
        self.assert_cancelled(job)
        evidence = job.attempts[0].evidence
        self.assertTrue(evidence.killed)
        self.assertFalse(evidence.death_unconfirmed)
        self.assertEqual(evidence.leftover_processes_killed, 1)
        self.assertGreaterEqual(seconds(evidence.time_to_confirmed_death), 1)
        self.assertEqual(job.attempts[0].exit.signal, signal.SIGKILL)
        # What it handed in before is not lost.
        self.assertEqual(job.partial_result, b"state")

    def test_A6_no_grace_at_all(self):
        job_id = self.start(token("a"), ["stop"], result(), shutdown_grace=0)
        self.wait_token(job_id)
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assert_cancelled(job)
        self.assertFalse(job.HasField("partial_result"))
        self.assertEqual(job.attempts[0].exit.signal, signal.SIGKILL)

    def test_A7_a_task_that_dies_of_the_stop_is_cancelled(self):
        job_id = self.start(token("a"), ["stop"], ["exit", 5])
        self.wait_token(job_id)
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assert_cancelled(job)
        self.assertEqual(job.exit.status, 5)


class CheckpointTest(WarmStopCase):

    types = (raw_type("task"), COOPERATIVE)
    flags = LEASE

    def run_cooperative(self, **settings):
        """Runs cooperative_task.py to its end."""
        return self.cluster.run(job_of("cooperative", {"pause": 0, **settings},
                                       retry_on=[Reason.REASON_SIGNALLED]))

    def test_A3_a_task_killed_by_9_goes_on_from_its_checkpoint(self):
        job, out, _ = self.run_cooperative(steps=6, die_at=4, pause=0.02)
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        first, second = job.attempts
        self.assertEqual(first.failure.reason, Reason.REASON_SIGNALLED)
        self.assertFalse(second.HasField("failure"))
        value = json.loads(job.result)
        self.assertEqual((value["from"], value["to"]), (4, 6))
        self.assertEqual(out, b"".join(b"step %d\n" % step
                                       for step in range(1, 7)))
        # A job that has succeeded has no use for it.
        self.assertFalse(job.HasField("checkpoint"))

    def test_A3_the_last_of_many_checkpoints_is_the_one_that_counts(self):
        job, out, _ = self.run_steps(
            "task", STARTED,
            ["upto", 1, *[checkpoint(str(i)) for i in range(200)],
             ["kill", 9]], ["start"], result(),
            retry_on=[Reason.REASON_SIGNALLED])
        self.assert_succeeded(job)
        self.assertEqual(json.loads(out)["checkpoint"], {"text": "199"})

    def test_A3_a_checkpoint_is_seen_while_it_runs_and_survives_a_cancel(self):
        job_id = self.start(checkpoint("forty"), ["stop"], failed("stopped"))
        job = wait_until(lambda: (job := self.cluster.get(job_id)).HasField(
            "checkpoint") and job, "the checkpoint is stored")
        self.assertEqual(job.checkpoint.attempt, 1)
        self.assertEqual(job.checkpoint.size_bytes, 5)
        self.assertFalse(job.HasField("partial_result"))
        explained = self.cluster.vigil("explain", job_id).stdout.decode()
        self.assertIn("checkpoint: of attempt 1", explained)
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assert_cancelled(job)
        self.assertEqual(job.partial_result, b"forty")
        raw = self.cluster.vigil("explain", job_id, "--result")
        self.assertEqual((raw.returncode, raw.stdout), (0, b"forty"))

    def test_A3_a_partial_result_survives_a_restart_of_the_coordinator(self):
        job_id = self.start(checkpoint("half"), token("a"), FOR_EVER,
                            shutdown_grace=0)
        wait_until(lambda: self.cluster.get(job_id).HasField("checkpoint"),
                   "the checkpoint is stored")
        self.cluster.cancel(job_id)
        self.cluster.finish(job_id)
        self.assertEqual(self.cluster.terminate(), 0)
        self.cluster.start()
        self.assertEqual(self.cluster.get(job_id).partial_result, b"half")

    def test_A3_a_checkpoint_survives_the_coordinator_and_its_worker(self):
        go = self.flag()
        job_id = self.start(
            ["upto", 1, checkpoint("before the crash"), FOR_EVER],
            ["wait", str(go)], ["start"], result())
        wait_until(lambda: self.cluster.get(job_id).HasField("checkpoint"),
                   "the checkpoint is stored")
        self.cluster.kill()
        self.cluster.start()
        go.touch()
        job = self.cluster.finish(job_id)
        self.assert_succeeded(job)
        self.assertEqual(job.attempts[0].failure.reason,
                         Reason.REASON_WORKER_LOST)
        output = self.cluster.jobs.ReadOutput(
            job_service_pb2.ReadOutputRequest(job_id=job_id, attempt=2))
        start = json.loads(b"".join(piece.data for piece in output.output))
        self.assertEqual(start["checkpoint"], {"text": "before the crash"})


class CooperativeTest(WarmStopCase):

    types = (raw_type("task"), COOPERATIVE)

    def cooperate(self, **settings):
        """Starts a job that would never end; returns its id."""
        job_id = self.cluster.submit(job_of("cooperative", {
            "steps": 100000, "pause": 0.05, **settings}))
        wait_until(lambda: (job := self.cluster.get(job_id)).attempts and
                   job.attempts[-1].tokens > 3, "it has said a few tokens")
        return job_id

    def pid_of_cooperative(self):
        job, _, _ = self.cluster.run(job_of("cooperative",
                                            {"steps": 1, "pause": 0}))
        return json.loads(job.result)["pid"]

    def test_A7_a_cancel_interrupts_it_and_keeps_what_it_has(self):
        pid = self.pid_of_cooperative()
        job_id = self.cooperate()
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assert_cancelled(job)
        self.assertRegex(job.partial_result, rb"\d+ steps when CANCELLED")
        self.assertEqual(self.pid_of_cooperative(), pid)

    def test_A7_a_task_that_sleeps_is_interrupted_where_it_is(self):
        job_id = self.cluster.submit(job_of(
            "cooperative", {"steps": 2, "pause": 3600}))
        wait_until(lambda: (job := self.cluster.get(job_id)).attempts and
                   job.attempts[-1].tokens, "it sleeps")
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assert_cancelled(job)
        self.assertEqual(job.partial_result, b"1 steps when CANCELLED")

    def test_A7_a_clock_is_named_to_the_task(self):
        job, _, _ = self.cluster.run(job_of(
            "cooperative", {"steps": 2, "pause": 3600}, inactivity=0.5))
        self.assert_failed(job, Reason.REASON_INACTIVITY_TIMEOUT)
        self.assertEqual(job.partial_result,
                         b"1 steps when INACTIVITY_TIMEOUT")

    def test_A7_a_clean_up_beyond_its_grace_is_killed(self):
        job_id = self.cluster.submit(job_of(
            "cooperative", {"steps": 9, "pause": 3600, "cleanup": 3600},
            shutdown_grace=0.5))
        wait_until(lambda: (job := self.cluster.get(job_id)).attempts and
                   job.attempts[-1].tokens, "it sleeps")
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assert_cancelled(job)
        self.assertTrue(job.attempts[0].evidence.killed)
        # Its last checkpoint.
        self.assertEqual(job.partial_result, b"1")

    def test_A7_the_cli_says_how_to_get_the_partial_result(self):
        run = self.cluster.vigil(
            "run", "--task_type=cooperative", "--inactivity=500ms",
            '--input={"steps": 9, "pause": 3600}')
        self.assertEqual(run.returncode, 124, run.stderr)
        self.assertEqual(run.stdout, b"step 1\n")
        self.assertIn(b"partial result", run.stderr)
        self.assertIn(b"--result", run.stderr)


if __name__ == "__main__":
    unittest.main()

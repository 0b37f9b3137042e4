"""A8: the progress of a warm task, `37 of 100`, is seen while it happens: by
the API, to those who watch, and on the command line.
"""
import os
import pty
import subprocess
import unittest

from cluster import PATIENCE, VIGIL, Phase, State, wait_until
from vigil.v1 import job_service_pb2
from warm_case import (
    STARTED, WarmTestCase, job_of, progress, raw_type, result, worker_of)


class WarmProgressTest(WarmTestCase):

    types = (raw_type("task"),)

    def start(self):
        """A job at 37 of 100, which goes on when its flag is there."""
        go = self.flag()
        job_id = self.submit_steps(
            "task", STARTED, progress(36, 100),
            {"progress": {"done": 37, "total": 100,
                          "message": "calibrating \u00b5"}},
            ["wait", str(go)], progress(38, 100), result())
        wait_until(lambda: self.progress_of(job_id) == (37, 100),
                   "GetJob shows the progress")
        return go, job_id

    def progress_of(self, job_id):
        attempts = self.cluster.get(job_id).attempts
        shown = attempts[-1].progress if attempts else None
        return shown and (shown.done, shown.total)

    def test_A8_by_the_api_while_it_runs(self):
        go, job_id = self.start()
        job = self.cluster.get(job_id)
        self.assertEqual(job.state, State.STATE_RUNNING)
        self.assertEqual(job.attempts[0].phase, Phase.PHASE_ACTIVE)
        self.assertEqual(job.attempts[0].progress.message,
                         "calibrating \u00b5")
        shown = [slot.attempt.progress.done
                 for slot in worker_of(self.cluster).slots
                 if slot.job_id == job_id]
        self.assertEqual(shown, [37])
        go.touch()
        job = self.cluster.finish(job_id)
        self.assert_succeeded(job)
        self.assertEqual(job.attempts[0].progress.done, 38)

    def test_A8_by_status_and_explain_while_it_runs(self):
        go, job_id = self.start()
        shown = self.cluster.vigil("explain", job_id).stdout.decode()
        self.assertIn("progress 37 of 100", shown)
        shown = self.cluster.vigil("status").stdout.decode()
        self.assertRegex(shown, job_id + r" .* ACTIVE .* 37 +100 ")
        go.touch()
        self.cluster.finish(job_id)

    def test_A8_to_those_who_watch(self):
        go, job_id = self.start()
        seen = []
        for response in self.cluster.jobs.WatchJob(
                job_service_pb2.WatchJobRequest(job_id=job_id)):
            job = response.event.job
            if job.attempts and job.attempts[-1].HasField("progress"):
                seen.append((job.state, job.attempts[-1].progress.done))
            if seen:
                go.touch()
        self.assertIn((State.STATE_RUNNING, 37), seen)
        self.assertEqual(seen[-1], (State.STATE_SUCCEEDED, 38))

    def test_A8_progress_that_shrinks_is_not_shown(self):
        job, _, _ = self.run_steps("task", STARTED, progress(5, 9),
                                   progress(3, 9), result())
        self.assertEqual(job.attempts[0].progress.done, 5)

    def test_A8_without_a_total(self):
        go = self.flag()
        job_id = self.submit_steps("task", STARTED, progress(12345),
                                   ["wait", str(go)], result())
        wait_until(lambda: self.progress_of(job_id) == (12345, 0),
                   "GetJob shows the progress")
        shown = self.cluster.vigil("explain", job_id).stdout.decode()
        self.assertIn("progress 12345\n", shown)
        go.touch()
        self.cluster.finish(job_id)

    def test_A8_by_run_on_a_terminal(self):
        go = self.flag()
        steps = job_of("task", [STARTED, progress(37, 100),
                                ["wait", str(go)], result("the end")])
        ours, theirs = pty.openpty()
        with subprocess.Popen(
                [VIGIL, "run", f"--address={self.cluster.address}",
                 "--task_type=task", f"--input={steps.spec.input.decode()}"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=theirs) as run:
            os.close(theirs)
            shown = b""
            while b"37 of 100" not in shown:
                shown += os.read(ours, 4096)
            self.assertIsNone(run.poll())
            go.touch()
            out, _ = run.communicate(timeout=PATIENCE)
        os.close(ours)
        self.assertEqual((run.returncode, out), (0, b"the end"))


if __name__ == "__main__":
    unittest.main()

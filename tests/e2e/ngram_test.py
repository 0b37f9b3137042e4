"""The language model of deploy/examples, through its own catalog: it is trained
in a warm-up, streams words as tokens, hands in what it has when it is cancelled
(row A7), and after a kill -9 goes on where it was (row A3).
"""
import os
import pathlib
import signal
import unittest

from cluster import (
    Cluster, Phase, Reason, State, alive, processes_with, wait_until)
from vigil.v1 import job_service_pb2
from warm_case import job_of, type_status

CATALOG = os.path.abspath("deploy/examples/catalog.textproto")


class NgramTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(local_slots=1, flags=[f"--catalog={CATALOG}"])
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.stop)
        # What the warm-up said, and the phase it was in.
        job_id = cls.cluster.submit(cls.job(tokens=1, delay_ms=0))
        cls.cluster.wait_phase(job_id, Phase.PHASE_WARMING)
        assert cls.cluster.finish(job_id).state == State.STATE_SUCCEEDED
        cls.warm_up_log = b"".join(
            piece.data for piece in cls.cluster.jobs.ReadOutput(
                job_service_pb2.ReadOutputRequest(job_id=job_id)).output
            if piece.stream == 2)

    @staticmethod
    def job(prompt="Return the", **settings):
        """A job of the model; settings as in its docstring."""
        options = settings.pop("options", {})
        return job_of("ngram", {"prompt": prompt, **settings}, **options)

    def start(self, tokens_seen, **settings):
        """Submits a job and returns its id when it has said so much."""
        job_id = self.cluster.submit(self.job(**settings))
        wait_until(lambda: (job := self.cluster.get(job_id)).attempts and
                   job.attempts[-1].tokens >= tokens_seen,
                   f"{tokens_seen} words are said")
        return job_id

    def model_pid(self):
        """The pid of the one process that has the model."""
        pids = [pid for pid in processes_with(str(self.cluster.data_dir))
                if b"ngram_model.py" in pathlib.Path(
                    f"/proc/{pid}/cmdline").read_bytes()]
        self.assertEqual(len(pids), 1)
        return pids[0]

    def test_A4_it_was_trained_in_a_phase_of_its_own(self):
        self.assertRegex(self.warm_up_log, rb"read \d+ of \d+ modules\n$")
        wait_until(lambda: type_status(self.cluster,
                                       "ngram").warm_processes == 1,
                   "it stays")
        self.assertFalse(type_status(self.cluster, "ngram").degraded)

    def test_L1_words_are_tokens_that_arrive_one_by_one(self):
        pieces, job = [], None
        for response in self.cluster.jobs.RunJob(job_service_pb2.RunJobRequest(
                job=self.job(tokens=30, delay_ms=20))):
            if response.event.HasField("output"):
                pieces.append(response.event.output.data)
            elif response.event.HasField("job"):
                job = response.event.job
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        self.assertGreater(len(pieces), 5)
        self.assertEqual(b"Return the" + b"".join(pieces), job.result)
        self.assertEqual(job.attempts[0].tokens, 30)
        self.assertEqual((job.attempts[0].progress.done,
                          job.attempts[0].progress.total), (30, 30))

    def test_A7_a_cancel_gives_the_text_so_far_and_the_model_stays(self):
        pid = self.model_pid()
        job_id = self.start(5, tokens=10000, delay_ms=20)
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assertEqual(job.state, State.STATE_CANCELLED)
        self.assertTrue(job.partial_result.startswith(b"Return the "))
        self.assertGreaterEqual(len(job.partial_result.split()), 5)
        self.assertFalse(job.HasField("result"))
        self.assertEqual(self.model_pid(), pid)

    def test_A3_after_a_kill_it_goes_on_from_its_checkpoint(self):
        whole, _, _ = self.cluster.run(self.job(tokens=60, seed=7, delay_ms=0))
        job_id = self.start(25, tokens=60, seed=7, delay_ms=30, options={
            "retry_on": [Reason.REASON_SIGNALLED]})
        wait_until(lambda: self.cluster.get(job_id).checkpoint.size_bytes > 0,
                   "a checkpoint is stored")
        pid = self.model_pid()
        os.kill(pid, signal.SIGKILL)
        job = self.cluster.finish(job_id)
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        self.assertFalse(alive(pid))
        first, second = job.attempts
        self.assertEqual(first.failure.reason, Reason.REASON_SIGNALLED)
        self.assertGreaterEqual(first.tokens, 25)
        # It says only what is left, and the text is the same.
        self.assertLessEqual(second.tokens, 50)
        self.assertGreater(second.tokens, 0)
        self.assertEqual(job.result, whole.result)

    def test_B2_bad_input_is_refused_by_the_model(self):
        job, _, _ = self.cluster.run(self.job(tokens="many"))
        self.assertEqual(job.state, State.STATE_FAILED)
        self.assertEqual(job.failure.reason, Reason.REASON_INVALID_INPUT)
        self.assertIn("tokens", job.failure.message)


if __name__ == "__main__":
    unittest.main()

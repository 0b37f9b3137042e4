#!/usr/bin/python3
"""Proves that the judge of the partitions finds what must not be, and nothing
where all is well: records, notes and promises are made up, with one lie each.
"""
import unittest

import client
import verdict
from cluster import Reason, State
from vigil.v1 import job_pb2

OK, FAILED, CANCELLED = (State.STATE_SUCCEEDED, State.STATE_FAILED,
                         State.STATE_CANCELLED)
TEXT = b"job1 2 0\njob1 2 1\njob1 2 end 1\n"


class VerdictTest(unittest.TestCase):

    def setUp(self):
        """One job that was lost once and then succeeded, and was watched."""
        self.job = job_pb2.Job(job_id="a", request_id="job1", state=OK)
        lost = self.job.attempts.add(number=1)
        lost.failure.reason = Reason.REASON_WORKER_LOST
        self.job.attempts.add(number=2)
        self.notes = [("start", 1), ("start", 2), ("end", 2)]
        self.stdout = TEXT
        self.journal = client.Journal()
        self.journal.acknowledge("a", "job1")
        self.journal.tell(self.job, "WatchJob")
        self.journal.watched.add("a")
        self.journal.outputs = {("a", 1): bytearray(b"job1 1 0\njob1 1"),
                                ("a", 2): bytearray(TEXT)}

    def kinds(self):
        stored = {self.job.job_id: verdict.Stored(self.job, self.stdout)}
        return [kind for kind, _ in verdict.judge(
            self.journal, {"job1": self.notes}, stored)]

    def end(self, state, reason=None):
        """The job ended otherwise, and was told so."""
        self.job.state = state
        self.journal.told = []
        if reason is not None:
            self.job.failure.reason = reason

    def test_all_is_well(self):
        self.assertEqual(self.kinds(), [])

    def test_a_job_that_is_not_there_is_lost(self):
        self.journal.acknowledge("b", "job2")
        self.assertEqual(self.kinds(), ["lost"])

    def test_a_job_that_has_not_ended_is_lost(self):
        self.end(State.STATE_BACKOFF)
        self.assertEqual(self.kinds(), ["lost"])

    def test_an_end_that_was_told_must_stay(self):
        self.journal.told.append(("a", CANCELLED, "GetJob"))
        self.assertEqual(self.kinds(), ["told"])

    def test_an_answer_that_must_not_be_is_a_fault(self):
        self.journal.refusals.append("GetJob: NOT_FOUND")
        self.assertEqual(self.kinds(), ["refused"])

    def test_a_lock_that_was_held_twice(self):
        self.notes.insert(1, ("twice", 1))
        self.assertEqual(self.kinds(), ["twice"])

    def test_an_attempt_that_went_on_behind_its_successor(self):
        self.notes.append(("end", 1))
        self.assertEqual(self.kinds(), ["twice"])

    def test_an_attempt_that_was_started_twice(self):
        self.notes.insert(2, ("start", 2))
        self.assertEqual(set(self.kinds()), {"twice"})

    def test_one_request_that_made_two_jobs(self):
        other = job_pb2.Job()
        other.CopyFrom(self.job)
        other.job_id = "b"
        self.journal.acknowledged["b"] = "job1"
        stored = {job.job_id: verdict.Stored(job, TEXT)
                  for job in (self.job, other)}
        self.assertEqual(
            [kind for kind, _ in verdict.judge(
                self.journal, {"job1": self.notes}, stored)], ["twice"])

    def test_a_success_that_no_attempt_had(self):
        self.notes.pop()
        self.assertEqual(self.kinds(), ["phantom"])

    def test_output_that_another_attempt_wrote(self):
        self.stdout = TEXT.replace(b" 2 ", b" 1 ")
        self.assertEqual(self.kinds(), ["phantom"])

    def test_output_with_a_hole(self):
        self.stdout = TEXT.replace(b"job1 2 1\n", b"")
        self.assertEqual(self.kinds(), ["phantom"])

    def test_output_that_is_cut_off(self):
        self.stdout = TEXT[:-1]
        self.assertEqual(self.kinds(), ["phantom"])

    def test_a_stream_that_did_not_bring_all(self):
        self.journal.outputs["a", 2] = bytearray(TEXT[:9])
        self.assertEqual(self.kinds(), ["phantom"])

    def test_a_stream_of_a_lost_attempt_with_a_hole(self):
        self.journal.outputs["a", 1] = bytearray(b"job1 1 1\n")
        self.assertEqual(self.kinds(), ["phantom"])

    def test_the_result_of_another_attempt(self):
        self.job.spec.task_type = "warm"
        self.job.result = b"job1 2"
        self.assertEqual(self.kinds(), [])
        self.job.result = b"job1 1"
        self.assertEqual(self.kinds(), ["phantom"])

    def test_a_job_that_nobody_submitted(self):
        del self.journal.acknowledged["a"]
        self.assertEqual(self.kinds(), ["phantom"])

    def test_a_cancellation_that_nobody_wanted(self):
        self.end(CANCELLED)
        self.assertEqual(self.kinds(), ["phantom"])
        self.journal.cancelled.add("a")
        self.assertEqual(self.kinds(), [])

    def test_a_failure_without_cause(self):
        self.end(FAILED, Reason.REASON_SIGNALLED)
        self.assertEqual(self.kinds(), ["phantom"])

    def test_a_job_may_fail_that_was_lost_too_often(self):
        self.end(FAILED, Reason.REASON_WORKER_LOST)
        self.assertEqual(self.kinds(), ["phantom"])
        for number in range(3, 13):
            attempt = self.job.attempts.add(number=number)
            attempt.failure.reason = Reason.REASON_WORKER_LOST
        self.assertEqual(self.kinds(), [])


if __name__ == "__main__":
    unittest.main()

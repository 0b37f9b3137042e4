"""Several jobs handed to one warm process ahead (max_in_flight): they run one
after the other in order, and when the process crashes, those that had not begun
run again as if nothing had been, and uncharged.
"""
import unittest

from cluster import Phase, Reason, State, wait_until
from vigil.v1 import worker_pb2
from warm_case import (
    STARTED, WarmTestCase, duration, failed, raw_type, result, token,
    type_status, worker_of)

DEPTH = 8


class AheadTest(WarmTestCase):

    slots = 1
    types = (raw_type("task", max_in_flight=DEPTH,
                      timeouts={"shutdown_grace": duration(0.5)}),)

    def setUp(self):
        # How many go ahead follows from how long jobs take.
        def deep():
            self.run_steps("task", STARTED, result())
            return type_status(self.cluster, "task").in_flight == DEPTH
        wait_until(deep, "jobs are short enough to go ahead")

    def fill(self, *head, behind=5):
        """A job that does `head` when its flag is there, and some behind it;
        returns the flag, its id and theirs, all RUNNING."""
        go = self.flag()
        first = self.submit_steps("task", STARTED, ["wait", str(go)], *head)
        self.cluster.wait_phase(first, Phase.PHASE_ACTIVE)
        others = [self.submit_steps("task", STARTED, token(str(i)),
                                    result(str(i))) for i in range(behind)]
        wait_until(lambda: all(
            self.cluster.get(job_id).state == State.STATE_RUNNING
            for job_id in others), "all are handed out, with one slot")
        return go, first, others

    def begun(self):
        """The ids of all jobs that were begun, in order."""
        return [line.split()[1] for line in self.journal("task")
                if line.startswith("job ")]

    def test_A11_jobs_ahead_run_in_order_in_one_process(self):
        go, first, others = self.fill(result("first"))
        slots = worker_of(self.cluster).slots
        self.assertEqual(sum(slot.state == worker_pb2.Slot.STATE_BUSY
                             for slot in slots), 1)
        # They wait behind it: none has begun.
        self.assertEqual(self.begun()[-1], first)
        self.assertFalse(self.cluster.get(others[0]).HasField("start_time"))
        go.touch()
        self.assert_succeeded(self.cluster.finish(first), b"first")
        for i, job_id in enumerate(others):
            job = self.cluster.finish(job_id)
            self.assert_succeeded(job, str(i).encode())
            self.assertEqual(len(job.attempts), 1)
        self.assertEqual(self.begun()[-6:], [first, *others])
        self.assertEqual(len({self.pid_of("task", job_id)
                              for job_id in [first, *others]}), 1)

    def test_A3_after_a_crash_those_not_begun_run_again_uncharged(self):
        go, first, others = self.fill(token("dying"), ["exit", 9])
        pid = self.pid_of("task", first)
        go.touch()
        job = self.cluster.finish(first)
        self.assert_failed(job, Reason.REASON_NONZERO_EXIT, "status 9")
        for i, job_id in enumerate(others):
            job = self.cluster.finish(job_id)
            self.assert_succeeded(job, str(i).encode())
            # At most one attempt counts, the one that did it.
            self.assertEqual(sum(attempt.charged for attempt in job.attempts),
                             1)
            self.assertNotEqual(self.pid_of("task", job_id), pid)
        # Each was begun once.
        begun = self.begun()
        self.assertEqual([begun.count(job_id) for job_id in others], [1] * 5)

    def test_A3_a_crash_after_a_result_loses_neither_it_nor_what_is_behind(
            self):
        go, first, others = self.fill(result("kept"), ["kill", 9])
        go.touch()
        self.assert_succeeded(self.cluster.finish(first), b"kept")
        for i, job_id in enumerate(others):
            self.assert_succeeded(self.cluster.finish(job_id), str(i).encode())
        begun = self.begun()
        self.assertEqual([begun.count(job_id) for job_id in others], [1] * 5)

    def test_A7_a_job_ahead_is_cancelled_before_it_does_anything(self):
        go = self.flag()
        first = self.submit_steps("task", STARTED, ["wait", str(go)],
                                  result("first"))
        self.cluster.wait_phase(first, Phase.PHASE_ACTIVE)
        second = self.submit_steps("task", STARTED, ["stop"],
                                   failed("stopped"))
        wait_until(lambda: self.cluster.get(second).state ==
                   State.STATE_RUNNING, "it is handed out")
        third = self.submit_steps("task", STARTED, result("third"))
        self.cluster.cancel(second)
        self.assertNotIn(second, self.begun())
        go.touch()
        self.assert_succeeded(self.cluster.finish(first), b"first")
        self.assertEqual(self.cluster.finish(second).state,
                         State.STATE_CANCELLED)
        self.assert_succeeded(self.cluster.finish(third), b"third")

    def test_A3_a_kill_of_the_one_that_runs_spares_those_behind(self):
        go, first, others = self.fill(["sleep", 3600])
        go.touch()
        self.cluster.cancel(first)
        job = self.cluster.finish(first)
        self.assertEqual(job.state, State.STATE_CANCELLED)
        for i, job_id in enumerate(others):
            self.assert_succeeded(self.cluster.finish(job_id), str(i).encode())


if __name__ == "__main__":
    unittest.main()

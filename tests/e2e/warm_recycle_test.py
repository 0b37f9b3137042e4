"""A11: a warm process is kept from job to job, forgets when it is asked to, and
gives its memory back: after so many jobs, above a size, when idle, when it was
killed, and when another type needs its slot.

The journals of the tasks say which process began which job.
"""
import time
import unittest

from cluster import Phase, Reason, State, alive, wait_until
from deadline_case import seconds
from vigil.v1 import job_pb2
from warm_case import (
    FOR_EVER, STARTED, WarmTestCase, duration, raw_type, result, token,
    type_status, worker_of)


class RecycleCase(WarmTestCase):

    def run_jobs(self, task_type, count, *steps):
        """Runs jobs one after the other; returns the pids that did them."""
        pids = []
        for _ in range(count):
            job, _, _ = self.run_steps(task_type, STARTED, *steps, result())
            self.assert_succeeded(job)
            self.assertEqual(len(job.attempts), 1)
            pids.append(self.pid_of(task_type, job.job_id))
        return pids

    def wait_dead(self, pid):
        wait_until(lambda: not alive(pid), f"{pid} has ended")

    def assert_told(self, task_type, pid):
        """The process was asked to end, and did; it was not killed."""
        self.assertIn(f"{pid} told to end", self.journal_lines(task_type))


class KeptTest(RecycleCase):

    slots = 3
    types = (raw_type("task"), raw_type("other"))

    def test_A11_a_warm_process_is_preferred_to_a_new_one(self):
        pids = self.run_jobs("task", 10)
        self.assertEqual(len(set(pids)), 1)
        self.wait_warm("task", 1)
        (worker,) = self.cluster.status_json()["workers"]
        (task,) = [status for status in worker["task_type_statuses"]
                   if status["name"] == "task"]
        self.assertEqual(task["warm_processes"], 1)

    def test_A11_of_several_the_last_one_used_is_preferred(self):
        go = self.flag()
        ids = [self.submit_steps("task", STARTED, ["wait", str(go)], result())
               for _ in range(3)]
        for job_id in ids:
            self.cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        go.touch()
        for job_id in ids:
            self.cluster.finish(job_id)
        self.wait_warm("task", 3)
        self.assertEqual(len({self.pid_of("task", job_id) for job_id in ids}),
                         3)
        # The others come to rest, and can be ended when idle.
        self.assertEqual(len(set(self.run_jobs("task", 6))), 1)

    def test_A11_lowered_slots_end_idle_processes(self):
        pid = self.run_jobs("other", 1)[0]
        worker = worker_of(self.cluster).worker_id
        self.cluster.set_slots(worker, 0)
        try:
            self.wait_dead(pid)
            self.assert_told("other", pid)
            self.wait_warm("other", 0)
        finally:
            self.cluster.set_slots(worker, self.slots)
        self.assertNotEqual(self.run_jobs("other", 1)[0], pid)


class RulesTest(RecycleCase):

    types = (
        raw_type("task"),
        raw_type("three", max_jobs=3),
        raw_type("small", recycle_rss_bytes=64 << 20),
        raw_type("idler", idle_timeout=duration(1)),
    )

    def test_A11_after_max_jobs(self):
        pids = self.run_jobs("three", 7)
        self.assertEqual([pids.count(pid) for pid in dict.fromkeys(pids)],
                         [3, 3, 1])
        for pid in set(pids[:6]):
            self.wait_dead(pid)
            self.assert_told("three", pid)

    def test_A11_above_an_rss_limit(self):
        first, second = self.run_jobs("small", 2)
        self.assertEqual(first, second)
        grown, fresh = self.run_jobs("small", 1, ["grow", 100 << 20])[0], None
        self.assertEqual(grown, first)
        fresh = self.run_jobs("small", 1)[0]
        self.assertNotEqual(fresh, grown)
        self.wait_dead(grown)
        self.assert_told("small", grown)

    def test_A11_when_idle(self):
        job, _, _ = self.run_steps("idler", STARTED, result())
        pid = self.pid_of("idler", job.job_id)
        self.assertTrue(alive(pid))
        self.wait_dead(pid)
        self.assertGreaterEqual(time.time() - seconds(job.end_time), 1)
        self.assert_told("idler", pid)
        wait_until(lambda: type_status(self.cluster,
                                       "idler").warm_processes == 0,
                   "ListWorkers knows")
        self.assertNotEqual(self.run_jobs("idler", 1)[0], pid)

    def test_A11_after_a_kill(self):
        job, _, _ = self.run_steps("task", STARTED, token("a"), FOR_EVER,
                                   inactivity=0.5, shutdown_grace=0.2)
        self.assert_failed(job, Reason.REASON_INACTIVITY_TIMEOUT)
        pid = self.pid_of("task", job.job_id)
        self.assertFalse(alive(pid))
        self.assertNotIn(pid, self.run_jobs("task", 1))


class EvictionTest(RecycleCase):

    types = tuple(raw_type(name) for name in "abc")

    def test_A11_the_least_recently_used_makes_room_for_another_type(self):
        oldest, = self.run_jobs("a", 1)
        newer, = self.run_jobs("b", 1)
        self.assertTrue(alive(oldest))
        newest, = self.run_jobs("c", 1)
        self.wait_dead(oldest)
        self.assert_told("a", oldest)
        self.assertTrue(alive(newer))
        # A use makes `b` the newer one.
        self.assertEqual(self.run_jobs("b", 1), [newer])
        self.assertNotEqual(self.run_jobs("a", 1), [oldest])
        self.wait_dead(newest)
        self.assertTrue(alive(newer))

    def test_A11_a_command_makes_room_for_itself(self):
        pids = self.run_jobs("a", 1) + self.run_jobs("b", 1)
        ids = [self.cluster.submit(self.cluster.talker("600*0.1"))
               for _ in range(2)]
        for job_id in ids:
            self.cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        for pid in pids:
            self.assertFalse(alive(pid))
        for job_id in ids:
            self.cluster.cancel(job_id)
            self.cluster.finish(job_id)


class ResetTest(RecycleCase):

    slots = 1
    types = (raw_type("forgetful", reset=True),)

    def test_A11_a_reset_comes_between_jobs(self):
        pids = self.run_jobs("forgetful", 3)
        self.assertEqual(len(set(pids)), 1)
        wait_until(lambda: self.journal("forgetful").count("reset") == 3,
                   "the last job is forgotten too")
        kinds = [line.split()[0] for line in self.journal("forgetful")]
        self.assertEqual(kinds, ["process"] + ["job", "reset"] * 3)

    def test_A11_the_next_job_waits_for_the_answer_and_no_job_for_its_own(self):
        hold = self.cluster.dir / "forgetful.journal.hold"
        hold.touch()
        try:
            # Ended while its process is still busy forgetting it.
            job, _, _ = self.run_steps("forgetful", STARTED, result())
            self.assert_succeeded(job)
            pid = self.pid_of("forgetful", job.job_id)
            job_id = self.submit_steps("forgetful", STARTED, result())
            wait_until(lambda: self.journal("forgetful")[-1] == "reset",
                       "the reset was asked for")
            self.cluster.wait_phase(job_id, Phase.PHASE_STARTING)
            self.assertEqual(self.journal("forgetful")[-1], "reset")
        finally:
            hold.unlink()
        self.assert_succeeded(self.cluster.finish(job_id))
        self.assertEqual(self.pid_of("forgetful", job_id), pid)


class MaxSlotsTest(RecycleCase):

    slots = 3
    types = (raw_type("single", max_slots=1), raw_type("task"))

    def test_A11_max_slots_holds_while_other_types_run(self):
        go = self.flag()
        first = self.submit_steps("single", STARTED, ["wait", str(go)],
                                  result())
        self.cluster.wait_phase(first, Phase.PHASE_ACTIVE)
        second = self.submit_steps("single", STARTED, result())
        self.run_jobs("task", 2)
        waiting = self.cluster.get(second)
        self.assertEqual(waiting.state, State.STATE_QUEUED)
        self.assertEqual(waiting.waiting_reason,
                         job_pb2.Job.WAITING_REASON_SLOTS_BUSY)
        go.touch()
        self.assert_succeeded(self.cluster.finish(second))
        self.assertEqual(len(self.pids("single")), 1)


if __name__ == "__main__":
    unittest.main()

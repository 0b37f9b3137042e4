"""C6 and A6: a process that does not even die of SIGKILL. A task is frozen in a
control group (version 1) of the test's own, as one that waits for a dead disk
would be: its job ends all the same and says that its death is not proved, it is
not tried again, its slot is shown as STUCK and another one takes its place.
When the kernel lets go, nothing of it is left.
"""
import itertools
import subprocess
import time
import unittest

from cluster import (
    PATIENCE, Cluster, Phase, State, alive, processes_with, wait_until)
from nesting_case import Failure, cgroup_of_a_test
from vigil.v1 import worker_pb2, worker_service_pb2

Slot = worker_pb2.Slot

# The slot tries for 10 s, its worker waits for 15 s at most.
SECONDS_MIN = 9
SECONDS_MAX = 30

# Waits for the end of its input, thaws control group $1, kills what is in it
# and removes it.
GUARD = """
trap '' INT TERM HUP
cat
echo THAWED >"$1/freezer.state"
for try in 1 2 3 4 5 6 7 8 9 10; do
  for pid in $(cat "$1/cgroup.procs"); do kill -9 "$pid"; done
  rmdir "$1" && exit
  sleep 1
done 2>/dev/null
exit 1
"""


class StuckSlotTest(unittest.TestCase):

    marks = itertools.count()

    def setUp(self):
        self.group = cgroup_of_a_test("freezer")
        try:
            self.group.mkdir()
        except OSError as error:
            self.skipTest(f"{self.group} cannot be made: {error}")
        # Should this process be killed, the other end of its pipe still thaws
        # what is frozen, for which everybody else would wait for ever.
        self.guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", self.group],
            stdin=subprocess.PIPE, start_new_session=True)
        self.addCleanup(self.remove_group)
        self.cluster = Cluster(local_slots=1)
        self.addCleanup(self.cluster.stop)
        # First of all: what is frozen does not end.
        self.addCleanup(self.thaw)
        self.cluster.start()

    def set_state(self, state):
        file = self.group / "freezer.state"
        file.write_text(state)
        wait_until(lambda: file.read_text().strip() == state, state)

    def thaw(self):
        self.set_state("THAWED")

    def remove_group(self):
        self.guard.stdin.close()
        self.assertEqual(self.guard.wait(PATIENCE), 0)
        self.assertFalse(self.group.exists())

    def submit_frozen(self, **options):
        """A job whose task is frozen; returns its id and the task's pid."""
        mark = f"{self.cluster.dir}/mark{next(self.marks)}."
        job_id = self.cluster.submit(self.cluster.talker(
            "out:here", 600, shutdown_grace=0.3, env={"MARK": mark},
            **options))
        self.cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        pid, = processes_with(mark)
        (self.group / "cgroup.procs").write_text(str(pid))
        self.set_state("FROZEN")
        return job_id, pid

    def slots(self):
        """The states of the worker's slots, by index."""
        worker, = self.cluster.worker_service.ListWorkers(
            worker_service_pb2.ListWorkersRequest()).workers
        return {slot.index: slot.state for slot in worker.slots}

    def assert_stuck(self, job, pid, began):
        """The job is over; the process is not, and holds its slot."""
        self.assertGreater(time.monotonic() - began, SECONDS_MIN)
        self.assertLess(time.monotonic() - began, SECONDS_MAX)
        attempt, = job.attempts
        self.assertTrue(attempt.evidence.death_unconfirmed)
        self.assertTrue(attempt.evidence.killed)
        self.assertEqual([process.pid for process in
                          attempt.evidence.processes], [pid])
        self.assertTrue(alive(pid))
        self.assertEqual(self.cluster.get_status().deaths_unconfirmed, 1)
        wait_until(lambda: self.slots() == {
            0: Slot.STATE_STUCK, 1: Slot.STATE_IDLE},
                   "slot 0 is shown as STUCK, and slot 1 is there")
        shown = self.cluster.vigil("status").stdout.decode()
        self.assertRegex(shown, r"\n *0 +STUCK")
        shown = self.cluster.vigil("explain", job.job_id).stdout.decode()
        self.assertIn("could NOT be proved dead", shown)

    def assert_next_job_runs(self):
        job, out, _ = self.cluster.run(self.cluster.command("/bin/echo", "on"))
        self.assertEqual((job.state, out), (State.STATE_SUCCEEDED, b"on\n"))

    def assert_recovers(self, pid):
        """Once the kernel lets go, the process and its slot are gone."""
        self.thaw()
        wait_until(lambda: not alive(pid), "the task dies at last")
        wait_until(lambda: list(self.slots().values()) == [Slot.STATE_IDLE],
                   "the stuck slot goes")
        job_id = self.cluster.submit(self.cluster.talker("out:here", 600))
        self.cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        # One slot, as before.
        self.assertEqual(list(self.slots().values()), [Slot.STATE_BUSY])
        self.cluster.cancel(job_id)
        self.assertEqual(self.cluster.finish(job_id).state,
                         State.STATE_CANCELLED)
        self.assertEqual(self.cluster.get_status().deaths_unconfirmed, 1)

    def test_C6_a_cancelled_task_that_cannot_be_killed(self):
        job_id, pid = self.submit_frozen()
        began = time.monotonic()
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        # Not CANCELLED, which says that it is over.
        self.assertEqual(job.state, State.STATE_FAILED, job)
        self.assertEqual(job.failure.reason, Failure.REASON_CANCELLED)
        self.assert_stuck(job, pid, began)
        self.assert_next_job_runs()
        self.assert_recovers(pid)

    def test_C6_no_attempt_follows_one_that_may_still_run(self):
        began = time.monotonic()
        job_id, pid = self.submit_frozen(
            inactivity=1, maximum_attempts=5, initial_interval=0.01,
            retry_on=[Failure.REASON_INACTIVITY_TIMEOUT])
        job = self.cluster.finish(job_id)
        self.assertEqual(job.state, State.STATE_FAILED, job)
        self.assertEqual(job.failure.reason, Failure.REASON_INACTIVITY_TIMEOUT)
        self.assert_stuck(job, pid, began)
        self.assert_next_job_runs()
        self.assert_recovers(pid)
        self.assertEqual(len(self.cluster.get(job_id).attempts), 1)


if __name__ == "__main__":
    unittest.main()

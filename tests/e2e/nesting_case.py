"""What the tests of one-level enforcement share: one slot, on which programs
of tests/tasks run, and what must hold after each of them: the job ended with
its tree (no process and no zombie is left), and the same slot takes the next.
"""
import contextlib
import itertools
import os
import pathlib
import unittest

from cluster import PYTHON, TASKS, Cluster, State, alive, processes_with
from vigil.v1 import failure_pb2, job_pb2

Spec = job_pb2.JobSpec
Failure = failure_pb2.Failure
Outcome = job_pb2.NestedCall

# A refused fork is clone by the C library, vfork by posix_spawn and dash.
FORKS = ("clone", "fork", "vfork")


def cgroup_of_a_test(controller):
    """A path for a control group (version 1) below this process's own one.

    Raises unittest.SkipTest where there is none, or none can be made.
    """
    own = ""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            own = path
    above = pathlib.Path(f"/sys/fs/cgroup/{controller}{own}")
    if not own or not (above / "cgroup.procs").exists():
        raise unittest.SkipTest(
            f"no control groups (version 1) for {controller} here")
    if not os.access(above, os.W_OK) or not os.access(
            above / "cgroup.procs", os.W_OK):
        raise unittest.SkipTest(f"{above} is not writable")
    # What tests left that were killed themselves; those in use stay.
    for group in above.glob("vigil-test-*"):
        if not alive(int(group.name.rsplit("-", 1)[1])):
            with contextlib.suppress(OSError):
                group.rmdir()
    return above / f"vigil-test-{os.getpid()}"


def children(pid):
    """The pids of a process's children, zombies included."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(stat.rsplit(")", 1)[1].split()[1]) == pid:
            found.append(int(entry.name))
    return sorted(found)


def state_of(pid):
    """The system's letter for what a process does; "" if there is none."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return stat.rsplit(")", 1)[1].split()[0]


def stderr_of(text):
    """Lines that `vigil` itself wrote."""
    return [line for line in text.decode().splitlines()
            if line.startswith("vigil: ")]


class NestingTestCase(unittest.TestCase):
    """Tests that share a coordinator, by default of one slot."""

    slots = 1
    flags = ()
    prefix = ()
    catalog = None
    marks = itertools.count()

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(local_slots=cls.slots, flags=cls.flags,
                              catalog=cls.catalog, prefix=cls.prefix)
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def task(self, program, *args, **options):
        """A request that runs a program of tests/tasks."""
        path = f"{TASKS}/{program}"
        argv = [PYTHON, path] if program.endswith(".py") else [path]
        return self.cluster.command(
            *argv, *args, **{"shutdown_grace": 0.5, "start_to_close": 50,
                             **options})

    def slot_processes(self):
        """The pids of the slots."""
        return children(self.cluster.local_worker_pid())

    def assert_slots_empty(self):
        """No process and no zombie is in a slot."""
        for slot in self.slot_processes():
            self.assertEqual([(pid, state_of(pid)) for pid in children(slot)],
                             [], "a process or zombie is left")

    def run_task(self, program, *args, same_slot=True, **options):
        """Runs one; returns its job, last attempt, stdout and stderr.

        Then nothing of it is left, and the slot is usable at once.
        """
        mark = f"{self.cluster.dir}/mark{next(self.marks)}."
        request = self.task(program, *args, **options)
        request.spec.command.env["MARK"] = mark
        slots = self.slot_processes()
        job, out, err = self.cluster.run(request)
        self.assertEqual(processes_with(mark), [])
        if same_slot:
            self.assertEqual(self.slot_processes(), slots)
            self.assert_slots_empty()
        after, echo, _ = self.cluster.run(
            self.cluster.command("/bin/echo", "next"))
        self.assertEqual((after.state, echo),
                         (State.STATE_SUCCEEDED, b"next\n"))
        # Not before: a new slot first tries the filter in a child of its own.
        self.assert_slots_empty()
        return job, job.attempts[-1], out, err

    def assert_failed(self, job, reason, *texts):
        self.assertEqual(job.state, State.STATE_FAILED, job)
        self.assertEqual(job.failure.reason, reason, job.failure)
        for text in texts:
            self.assertIn(text, job.failure.message)

    def assert_succeeded(self, job):
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)

    def assert_nested_pool(self, job, *texts):
        """It ended at the call, once, and says how to allow it."""
        self.assert_failed(job, Failure.REASON_NESTED_POOL, *texts)
        self.assertIn("--max_processes", job.failure.advice)
        self.assertEqual(len(job.attempts), 1)
        refused = [call for call in job.attempts[0].nested_calls
                   if call.outcome == Outcome.OUTCOME_REFUSED]
        self.assertTrue(refused, job.attempts[0])
        for call in refused:
            self.assertIn(call.call, FORKS)
            self.assertGreater(call.count, 0)

    def states(self, attempt):
        """The letters of the processes that there were before the kill."""
        return [process.state for process in attempt.evidence.processes]

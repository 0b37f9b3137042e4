"""What the tests of warm tasks share: task types, frames, and one cluster.

Most run raw_warm_task.py, which does what its input says; see there.
"""
import itertools
import json
import pathlib
import unittest

from cluster import PYTHON, TASKS, Cluster, State, wait_until
from google.protobuf import text_format
from vigil.v1 import (
    catalog_pb2, job_service_pb2, worker_pb2, worker_service_pb2)

JSON = catalog_pb2.TaskType.FRAMES_JSON

# Frames as steps of raw_warm_task.py.
STARTED = {"started": {}}
HEARTBEAT = {"heartbeat": {}}
# A task that only waits to be told, in steps small enough to be killed in.
FOR_EVER = ["sleep", 3600]


def token(text):
    """A `token` frame."""
    return {"token": {"text": text}}


def result(text="done"):
    """A `result` frame."""
    return {"result": {"text": text}}


def progress(done, total=0):
    """A `progress` frame."""
    return {"progress": {"done": done, "total": total}}


def checkpoint(text):
    """A `checkpoint` frame."""
    return {"checkpoint": {"text": text}}


def failed(message, **fields):
    """An `error` frame."""
    return {"error": {"message": message, **fields}}


def duration(seconds):
    """A value for a Duration field of a task type."""
    return {"seconds": int(seconds), "nanos": round(seconds % 1 * 1e9)}


def raw_type(name, *loading, **fields):
    """A task type that runs raw_warm_task.py, with steps before its hello."""
    argv = [PYTHON, f"{TASKS}/raw_warm_task.py",
            # Also marks its processes as the cluster's.
            "{catalog_dir}/" + f"{name}.journal", json.dumps(loading)]
    return catalog_pb2.TaskType(name=name, argv=argv,
                                **{"frames": JSON, **fields})


def catalog_of(*types):
    """The text of a catalog."""
    return text_format.MessageToString(catalog_pb2.Catalog(task_types=types))


def job_of(task_type, steps, **options):
    """A SubmitJobRequest; `steps` are JSON, or bytes as they are."""
    request = job_service_pb2.SubmitJobRequest()
    request.spec.task_type = task_type
    request.spec.input = (steps if isinstance(steps, bytes) else
                          json.dumps(steps).encode())
    return Cluster.apply(request, **options)


def worker_of(cluster):
    """The one worker, as ListWorkers shows it."""
    workers = cluster.worker_service.ListWorkers(
        worker_service_pb2.ListWorkersRequest()).workers
    return next(worker for worker in workers if worker.local)


def type_status(cluster, name):
    """How a task type is doing on the one worker; empty if nothing is said."""
    for status in worker_of(cluster).task_type_statuses:
        if status.name == name:
            return status
    return worker_pb2.TaskTypeStatus(name=name)


class WarmTestCase(unittest.TestCase):
    """Tests that share a coordinator, which offers `types`."""

    types = ()
    slots = 2
    flags = ()
    numbers = itertools.count()

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(local_slots=cls.slots, flags=cls.flags,
                              catalog=catalog_of(*cls.types))
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def run_steps(self, task_type, *steps, **options):
        """Runs a job to its end: the job, its tokens and its stderr."""
        return self.cluster.run(job_of(task_type, steps, **options))

    def submit_steps(self, task_type, *steps, **options):
        """Submits a job and returns its id."""
        return self.cluster.submit(job_of(task_type, steps, **options))

    def flag(self):
        """A path in the cluster's directory at which nothing is yet."""
        return self.cluster.dir / f"flag{next(self.numbers)}"

    def journal(self, task_type):
        """The lines that processes of the type wrote, without their pids."""
        return [line.split(" ", 1)[1] for line in self.journal_lines(task_type)]

    def journal_lines(self, task_type):
        path = pathlib.Path(self.cluster.dir / f"{task_type}.journal")
        return path.read_text().splitlines() if path.exists() else []

    def pids(self, task_type):
        """The pids of all processes of the type so far, in order."""
        return [int(line.split()[0]) for line in self.journal_lines(task_type)
                if line.endswith(" process")]

    def pid_of(self, task_type, job_id):
        """The pid of the process that began the job last."""
        return [int(line.split()[0]) for line in self.journal_lines(task_type)
                if f" job {job_id} " in line][-1]

    def wait_warm(self, task_type, count):
        """Waits until so many processes of the type are warm."""
        wait_until(lambda: type_status(
            self.cluster, task_type).warm_processes == count,
                   f"{count} warm processes of {task_type}")

    def assert_succeeded(self, job, value=b"done"):
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        self.assertEqual(job.result, value)

    def assert_failed(self, job, reason, text=""):
        self.assertEqual(job.state, State.STATE_FAILED, job)
        self.assertEqual(job.failure.reason, reason, job.failure)
        self.assertIn(text, job.failure.message)

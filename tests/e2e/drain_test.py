"""Workers and coordinators that are asked to leave: they take nothing new,
finish what they run within their grace, and go; what takes longer runs again
elsewhere, and nothing is charged for it.
"""
import signal
import unittest

import grpc
from cluster import (
    NOT_SERVING,
    PATIENCE,
    Cluster,
    Phase,
    Reason,
    State,
    refused,
    wait_until,
)
from vigil.v1 import worker_pb2, worker_service_pb2

LONG = "--drain_grace=1h"


def drain(cluster, worker_id, **fields):
    """DrainWorker; `grace` in seconds."""
    request = worker_service_pb2.DrainWorkerRequest(worker_id=worker_id)
    if "grace" in fields:
        request.grace.FromNanoseconds(round(fields.pop("grace") * 1e9))
    for name, value in fields.items():
        setattr(request, name, value)
    return request


def state_of(cluster, worker_id):
    """The state of a worker."""
    return cluster.worker_service.GetWorker(
        worker_service_pb2.GetWorkerRequest(worker_id=worker_id)).worker.state


class DrainCase(unittest.TestCase):

    @staticmethod
    def gated(cluster, name, **options):
        """A job that ends when open_gate(name) is called."""
        gate = cluster.dir / name
        return cluster.command(
            "/bin/sh", "-c",
            f"echo up; while ! [ -e {gate} ]; do sleep 0.02; done; echo done",
            max_processes=2, **options)

    @staticmethod
    def open_gate(cluster, name):
        """Lets gated jobs of that name end."""
        (cluster.dir / name).touch()

    def worker_of(self, cluster, job_id):
        """The worker that runs a job."""
        job = cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        return job.attempts[-1].worker_id

    def assert_succeeded(self, job, attempts):
        """A job that succeeded, and no attempt before the last was charged."""
        self.assertEqual(job.state, State.STATE_SUCCEEDED)
        self.assertEqual([a.charged for a in job.attempts],
                         [False] * (attempts - 1) + [True])


class WorkerDrainTest(DrainCase):

    def test_worker_finishes_what_it_runs_takes_nothing_and_leaves(self):
        with Cluster(local_slots=0) as cluster:
            first = cluster.start_worker("w1", flags=[LONG])
            wait_until(lambda: cluster.get_status().slots_total == 1, "w1")
            running = cluster.submit(self.gated(cluster, "go"))
            worker_id = self.worker_of(cluster, running)
            first.send_signal(signal.SIGTERM)
            wait_until(lambda: state_of(cluster, worker_id) ==
                       worker_pb2.Worker.STATE_DRAINING, "it drains")

            waits = cluster.submit(cluster.command("/bin/echo", "later"))
            job = cluster.get(waits)
            self.assertEqual(job.waiting_reason,
                             State.WAITING_REASON_NO_WORKER_FOR_TASK_TYPE)
            cluster.start_worker("w2")
            other = cluster.finish(waits)
            self.assert_succeeded(other, 1)
            self.assertNotEqual(other.attempts[0].worker_id, worker_id)
            self.assertIsNone(first.poll())

            self.open_gate(cluster, "go")
            self.assert_succeeded(cluster.finish(running), 1)
            self.assertEqual(first.wait(timeout=PATIENCE), 0)
            wait_until(lambda: state_of(cluster, worker_id) ==
                       worker_pb2.Worker.STATE_LEFT, "it has left")
            status = cluster.get_status()
            self.assertEqual((status.attempts_lost, status.slots_total), (0, 1))

    def test_what_outlasts_the_grace_runs_again_elsewhere_uncharged(self):
        with Cluster(local_slots=0) as cluster:
            first = cluster.start_worker("w1", flags=[LONG])
            wait_until(lambda: cluster.get_status().slots_total == 1, "w1")
            job_id = cluster.submit(self.gated(
                cluster, "go", maximum_attempts=2, shutdown_grace=0))
            worker_id = self.worker_of(cluster, job_id)
            cluster.start_worker("w2")
            wait_until(lambda: cluster.get_status().slots_total == 2, "w2")
            cluster.worker_service.DrainWorker(
                drain(cluster, worker_id, grace=0.2))
            self.assertEqual(first.wait(timeout=PATIENCE), 0)
            self.open_gate(cluster, "go")
            job = cluster.finish(job_id)
            self.assert_succeeded(job, 2)
            self.assertEqual(job.attempts[0].failure.reason,
                             Reason.REASON_DRAINED)
            self.assertNotEqual(job.attempts[1].worker_id, worker_id)
            self.assertEqual(cluster.get_status().attempts_lost, 0)

    def test_a_job_that_may_start_once_only_fails_drained(self):
        with Cluster(local_slots=0) as cluster:
            first = cluster.start_worker("w1")
            wait_until(lambda: cluster.get_status().slots_total == 1, "w1")
            job_id = cluster.submit(self.gated(
                cluster, "never", maximum_attempts=1, shutdown_grace=0))
            self.worker_of(cluster, job_id)
            first.terminate()
            self.assertEqual(first.wait(timeout=PATIENCE), 0)
            job = cluster.finish(job_id)
            self.assertEqual((job.state, job.failure.reason),
                             (State.STATE_FAILED, Reason.REASON_DRAINED))

    def test_a_worker_that_stays_gets_no_work_until_it_is_resumed(self):
        with Cluster(local_slots=1) as cluster:
            service = cluster.worker_service
            worker_id = cluster.get_status().workers[0].worker_id
            worker = service.DrainWorker(
                drain(cluster, worker_id, stay=True)).worker
            self.assertEqual(worker.state, worker_pb2.Worker.STATE_DRAINING)
            job_id = cluster.submit(cluster.command("/bin/true"))
            self.assertEqual(cluster.get(job_id).state, State.STATE_QUEUED)
            service.DrainWorker(drain(cluster, worker_id, resume=True))
            self.assert_succeeded(cluster.finish(job_id), 1)

    def test_what_makes_no_sense_is_refused(self):
        with Cluster(local_slots=1) as cluster:
            call = cluster.worker_service.DrainWorker
            worker_id = cluster.get_status().workers[0].worker_id
            code = grpc.StatusCode
            for fields, expected, words in (
                    ({"worker_id": "nobody"}, code.NOT_FOUND, "nobody"),
                    ({}, code.FAILED_PRECONDITION, "stay"),
                    ({"grace": -1}, code.INVALID_ARGUMENT, "grace is -1s"),
                    ({"grace": 86401}, code.INVALID_ARGUMENT, "0 to 24h"),
                    ({"grace": 1, "stay": True}, code.INVALID_ARGUMENT, "stay"),
                    ({"resume": True, "stay": True}, code.INVALID_ARGUMENT,
                     "resume")):
                with self.subTest(**fields):
                    error = refused(call, drain(
                        cluster, **{"worker_id": worker_id, **fields}))
                    self.assertEqual(error.code(), expected)
                    self.assertIn(words, error.details())

    def test_drain_by_command(self):
        with Cluster(local_slots=0) as cluster:
            worker = cluster.start_worker("w1", flags=[LONG])
            wait_until(lambda: cluster.get_status().slots_total == 1, "w1")
            worker_id = cluster.get_status().workers[0].worker_id
            told = cluster.vigil("worker", "drain", worker_id, "--grace=5s")
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertIn(worker_id, told.stdout.decode())
            self.assertEqual(worker.wait(timeout=PATIENCE), 0)
            told = cluster.vigil("worker", "drain", worker_id)
            self.assertEqual(told.returncode, 125)
            self.assertIn("not connected", told.stderr.decode())
            self.assertIn("retry when it is", told.stderr.decode())


class CoordinatorDrainTest(DrainCase):

    def test_it_finishes_what_runs_accepts_nothing_and_keeps_the_rest(self):
        with Cluster(local_slots=1, flags=[LONG]) as cluster:
            running = cluster.submit(self.gated(cluster, "go"))
            self.worker_of(cluster, running)
            queued = cluster.submit(cluster.command("/bin/echo", "later"))
            cluster.coordinator.send_signal(signal.SIGTERM)
            wait_until(lambda: cluster.health() == NOT_SERVING, "it drains")

            error = refused(cluster.jobs.SubmitJob,
                            cluster.command("/bin/true"))
            self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
            self.assertIn("stopping", error.details())
            # What is there is still shown.
            self.assertEqual(cluster.get(running).state, State.STATE_RUNNING)
            self.assertEqual(cluster.get(queued).state, State.STATE_QUEUED)

            self.open_gate(cluster, "go")
            self.assertEqual(cluster.coordinator.wait(timeout=PATIENCE), 0)
            cluster.start()
            self.assert_succeeded(cluster.get(running), 1)
            self.assert_succeeded(cluster.finish(queued), 1)

    def test_what_outlasts_its_grace_runs_again_under_the_next_one(self):
        with Cluster(local_slots=1, flags=["--drain_grace=0.2s"]) as cluster:
            job_id = cluster.submit(self.gated(cluster, "go",
                                               shutdown_grace=0))
            self.worker_of(cluster, job_id)
            self.assertEqual(cluster.terminate(), 0)
            self.open_gate(cluster, "go")
            cluster.start()
            job = cluster.finish(job_id)
            self.assert_succeeded(job, 2)
            self.assertEqual(job.attempts[0].failure.reason,
                             Reason.REASON_DRAINED)

    def test_a_second_signal_ends_it_at_once_and_nothing_is_left(self):
        with Cluster(local_slots=1, flags=[LONG]) as cluster:
            job_id = cluster.submit(self.gated(cluster, "go"))
            self.worker_of(cluster, job_id)
            cluster.coordinator.send_signal(signal.SIGTERM)
            wait_until(lambda: "stopping after signal" in cluster.log(),
                       "it drains")
            cluster.coordinator.send_signal(signal.SIGTERM)
            self.assertEqual(cluster.coordinator.wait(timeout=PATIENCE),
                             128 + signal.SIGTERM)
            self.open_gate(cluster, "go")
            cluster.start()
            job = cluster.finish(job_id)
            self.assert_succeeded(job, 2)
            self.assertEqual(job.attempts[0].failure.reason,
                             Reason.REASON_WORKER_LOST)

    def test_work_of_other_workers_goes_on(self):
        with Cluster(local_slots=0) as cluster:
            cluster.start_worker("w1")
            wait_until(lambda: cluster.get_status().slots_total == 1, "w1")
            job_id = cluster.submit(self.gated(cluster, "go"))
            self.worker_of(cluster, job_id)
            self.assertEqual(cluster.terminate(), 0)
            self.open_gate(cluster, "go")
            cluster.start()
            self.assert_succeeded(cluster.finish(job_id), 1)


if __name__ == "__main__":
    unittest.main()

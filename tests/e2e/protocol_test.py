"""What clients and workers may rely on at the wire: requests that may be
repeated, versions that are refused when they do not fit, health and reflection
(both spoken by hand, since Debian has no Python stubs for them).
"""
import queue
import unittest

import grpc
from cluster import NOT_SERVING, SERVING, Cluster, State, refused
from vigil.v1 import dispatch_service_pb2, dispatch_service_pb2_grpc

# HealthCheckResponse{status: ...}.
SERVICE_UNKNOWN = b"\x08\x03"
# ServerReflectionRequest{list_services: "*"}.
LIST_SERVICES = b"\x3a\x01*"


class ProtocolTest(unittest.TestCase):

    def test_a_repeated_request_id_returns_the_first_job(self):
        with Cluster(local_slots=1) as cluster:
            request = cluster.command("/bin/true", request_id="once")
            first = cluster.jobs.SubmitJob(request)
            self.assertFalse(first.existed)
            for _ in range(3):
                again = cluster.jobs.SubmitJob(request)
                self.assertTrue(again.existed)
                self.assertEqual(again.job.job_id, first.job.job_id)
            cluster.finish(first.job.job_id)
            # Also when it has ended, and after a crash.
            cluster.kill()
            cluster.start()
            again = cluster.jobs.SubmitJob(request)
            self.assertTrue(again.existed)
            self.assertEqual(again.job.job_id, first.job.job_id)
            self.assertEqual(again.job.state, State.STATE_SUCCEEDED)
            self.assertEqual(again.job.request_id, "once")
            self.assertEqual(len(cluster.list_jobs()), 1)

    def test_a_request_id_used_for_another_job_is_refused(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(
                cluster.command("/bin/true", request_id="once"))
            error = refused(cluster.jobs.SubmitJob, cluster.command(
                "/bin/false", request_id="once"))
            self.assertEqual(error.code(), grpc.StatusCode.ALREADY_EXISTS)
            self.assertIn(job_id, error.details())
            # Another namespace has ids of its own.
            other = cluster.jobs.SubmitJob(cluster.command(
                "/bin/false", request_id="once", namespace="other"))
            self.assertFalse(other.existed)
            error = refused(cluster.jobs.SubmitJob, cluster.command(
                "/bin/true", request_id="x" * 65))
            self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
            self.assertIn("request_id", error.details())

    def test_the_command_line_repeats_a_request_without_a_second_job(self):
        with Cluster(local_slots=1) as cluster:
            for _ in range(2):
                ended = cluster.vigil("run", "--request_id=once", "--",
                                      "/bin/echo", "said once")
                self.assertEqual((ended.returncode, ended.stdout),
                                 (0, b"said once\n"), ended.stderr)
            self.assertEqual(len(cluster.list_jobs()), 1)
            self.assertEqual(len(cluster.list_jobs()[0].attempts), 1)

    def attach(self, cluster, message):
        """How the stream ends that a worker opens with `message`."""
        messages = queue.SimpleQueue()
        messages.put(message)
        stream = dispatch_service_pb2_grpc.DispatchServiceStub(
            cluster.channel).Attach(iter(messages.get, None), timeout=30)
        try:
            return refused(list, stream)
        finally:
            stream.cancel()
            messages.put(None)

    @staticmethod
    def hello(**fields):
        """The first message of a worker, complete but for `fields`."""
        fields = {"protocol_min": 1, "protocol_max": 1, "worker_id": "w" * 32,
                  "session_id": "s" * 32, "boot_id": "b", "slots": 1, **fields}
        return dispatch_service_pb2.AttachRequest(
            attach=dispatch_service_pb2.Attach(**fields))

    def test_a_worker_of_another_protocol_is_refused(self):
        with Cluster(local_slots=0) as cluster:
            for low, high in ((99, 100), (0, 0)):
                error = self.attach(cluster, self.hello(
                    protocol_min=low, protocol_max=high))
                self.assertIn(error.code(), (
                    grpc.StatusCode.FAILED_PRECONDITION,
                    grpc.StatusCode.INVALID_ARGUMENT))
            error = self.attach(cluster, self.hello(
                protocol_min=99, protocol_max=100))
            self.assertEqual(error.code(),
                             grpc.StatusCode.FAILED_PRECONDITION)
            for text in ("99", "1"):
                self.assertIn(text, error.details())
            self.assertEqual(cluster.get_status().worker_count, 0)

    def test_a_worker_of_a_later_release_that_speaks_ours_is_taken(self):
        with Cluster(local_slots=0) as cluster:
            messages = queue.SimpleQueue()
            messages.put(self.hello(protocol_max=7, features=["unheard-of"]))
            stream = dispatch_service_pb2_grpc.DispatchServiceStub(
                cluster.channel).Attach(iter(messages.get, None))
            self.assertEqual(next(stream).attached.protocol_version, 1)
            stream.cancel()
            messages.put(None)

    def test_a_stream_that_does_not_begin_with_attach_is_refused(self):
        with Cluster(local_slots=0) as cluster:
            for message in (dispatch_service_pb2.AttachRequest(),
                            self.hello(worker_id=""),
                            self.hello(session_id="")):
                error = self.attach(cluster, message)
                self.assertEqual(error.code(),
                                 grpc.StatusCode.INVALID_ARGUMENT)

    def test_health_says_serving(self):
        with Cluster(local_slots=0) as cluster:
            for service in ("", "vigil.v1.JobService"):
                self.assertEqual(cluster.health(service), SERVING)
                watch = cluster.health(service, "Watch")
                self.assertEqual(next(watch), SERVING)
                watch.cancel()

    def test_health_of_a_service_that_is_not_here(self):
        with Cluster(local_slots=0) as cluster:
            with self.assertRaises(grpc.RpcError) as caught:
                cluster.health("no.such.Service")
            self.assertEqual(caught.exception.code(),
                             grpc.StatusCode.NOT_FOUND)
            self.assertIn("no.such.Service", caught.exception.details())
            watch = cluster.health("no.such.Service", "Watch")
            self.assertEqual(next(watch), SERVICE_UNKNOWN)
            watch.cancel()

    def test_health_says_that_the_coordinator_stops(self):
        with Cluster(local_slots=0) as cluster:
            watch = cluster.health("", "Watch")
            self.assertEqual(next(watch), SERVING)
            cluster.coordinator.terminate()
            self.assertEqual(next(watch), NOT_SERVING)
            with self.assertRaises(grpc.RpcError) as caught:
                next(watch)
            self.assertEqual(caught.exception.code(),
                             grpc.StatusCode.UNAVAILABLE)
            cluster.coordinator.wait()

    def test_reflection_lists_the_services(self):
        with Cluster(local_slots=0) as cluster:
            stream = cluster.channel.stream_stream(
                "/grpc.reflection.v1alpha.ServerReflection/"
                "ServerReflectionInfo")(iter([LIST_SERVICES]))
            answer = next(stream)
            for name in ("vigil.v1.JobService", "vigil.v1.DispatchService",
                         "vigil.v1.WorkerService", "vigil.v1.StatusService",
                         "grpc.health.v1.Health"):
                self.assertIn(name.encode(), answer)


if __name__ == "__main__":
    unittest.main()

"""JSON over HTTP says what gRPC says: the same answers, errors and limits, for
every method that the descriptors have; and it says nothing to web pages of
others. For streams see http_stream_test.py, for HTTP itself
http_connection_test.py.
"""
import base64
import json
import unittest

import grpc
from google.protobuf import json_format
from google.protobuf.message_factory import MessageFactory
from vigil.v1 import (
    batch_service_pb2,
    job_service_pb2,
    status_service_pb2,
    worker_service_pb2,
)

from cluster import State
from http_case import HttpCluster, HttpTestCase

SERVICES = [module.DESCRIPTOR.services_by_name[name] for module, name in (
    (job_service_pb2, "JobService"), (batch_service_pb2, "BatchService"),
    (worker_service_pb2, "WorkerService"),
    (status_service_pb2, "StatusService"))]
MESSAGES = MessageFactory()


def streams(method):
    """Whether one side of a method is a stream."""
    return method.client_streaming or method.server_streaming


class SingleAnswerTest(HttpTestCase):

    def over_grpc(self, method, request):
        """Calls a method by its descriptor; returns the answer or the error."""
        answer = MESSAGES.GetPrototype(method.output_type)
        call = self.cluster.channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString)
        try:
            return call(request)
        except grpc.RpcError as error:
            return error

    def test_every_method_answers_an_empty_request_as_over_grpc(self):
        for method in (m for service in SERVICES for m in service.methods):
            with self.subTest(method=method.full_name):
                name = f"{method.containing_service.name}/{method.name}"
                over_grpc = self.over_grpc(
                    method, MESSAGES.GetPrototype(method.input_type)()) \
                    if not streams(method) else None
                if method.client_streaming:
                    answer = self.cluster.call(name)
                    self.assertEqual((answer.status, answer.code),
                                     (501, "unimplemented"))
                elif method.server_streaming:
                    stream = self.cluster.stream(name)
                    self.addCleanup(stream.close)
                    self.assertEqual(list(stream), [])
                    self.assertEqual(stream.end["error"]["code"],
                                     "invalid_argument")
                elif isinstance(over_grpc, grpc.RpcError):
                    answer = self.cluster.call(name)
                    self.assertEqual(
                        (answer.code, answer.message),
                        (over_grpc.code().name.lower(), over_grpc.details()))
                else:
                    answer = self.cluster.call(name)
                    self.assertEqual(answer.status, 200)
                    parsed = MESSAGES.GetPrototype(method.output_type)()
                    json_format.Parse(answer.body, parsed)
                    self.assertEqual(
                        [f.name for f, _ in parsed.ListFields()],
                        [f.name for f, _ in over_grpc.ListFields()])

    def test_a_job_is_the_same_over_both(self):
        job_id = self.cluster.submit_type("talker", "out:hello")
        job = self.cluster.finish(job_id)
        self.assertEqual(job.state, State.STATE_SUCCEEDED)
        answer = self.cluster.call("JobService/GetJob", {"jobId": job_id})
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["job"], json_format.MessageToDict(job))
        # Names as they are in the protos are taken too.
        self.assertEqual(
            self.cluster.call("JobService/GetJob", {"job_id": job_id}).json,
            answer.json)
        listed = self.cluster.call("JobService/ListJobs", {"pageSize": 1000})
        self.assertIn(job_id, [job["jobId"] for job in listed.json["jobs"]])

    def test_binary_goes_both_ways(self):
        job_id = self.cluster.submit_type("talker", "out:hello")
        self.cluster.finish(job_id)
        request = job_service_pb2.GetJobRequest(job_id=job_id)
        answer = self.cluster.post(
            "/vigil.v1.JobService/GetJob", request.SerializeToString(),
            {"Content-Type": "application/proto"})
        self.assertEqual(answer.headers["content-type"], "application/proto")
        self.assertEqual(
            job_service_pb2.GetJobResponse.FromString(answer.body),
            self.cluster.jobs.GetJob(request))

    def test_binary_that_is_no_message_is_the_clients_fault(self):
        # A tag without its end, and a job_id that is not UTF-8.
        for body in (b"\xff\xff\xff", b"\x12\x01\xff"):
            for _ in range(20):
                answer = self.cluster.post(
                    "/vigil.v1.JobService/GetJob", body,
                    {"Content-Type": "application/proto"})
                self.assertEqual((answer.status, answer.code),
                                 (400, "invalid_argument"))
        log = (self.cluster.dir / "log").read_text()
        self.assertNotIn("[libprotobuf", log)
        # It is told, but not for each: a client could fill the disk.
        self.assertEqual(log.count("invalid UTF-8"), 1, log)

    def test_errors_have_grpcs_words_and_the_protocols_status(self):
        for method, message, status in (
                ("GetJob", {"jobId": "nobody"}, 404),
                ("GetJob", {}, 400),
                ("CancelJob", {"jobId": "nobody"}, 404),
                ("ListJobs", {"pageToken": "AAAA"}, 400),
                ("SubmitJob", {"spec": {"taskType": "nobody"}}, 404),
                ("SubmitJob", {"spec": {"taskType": "sleep", "timeouts": {
                    "inactivityTimeout": "90000s"}}}, 400)):
            with self.subTest(method=method, message=message):
                answer = self.cluster.call(f"JobService/{method}", message)
                descriptor = SERVICES[0].methods_by_name[method]
                request = json_format.ParseDict(
                    message, MESSAGES.GetPrototype(descriptor.input_type)())
                error = self.over_grpc(descriptor, request)
                self.assertEqual(
                    (answer.status, answer.code, answer.message),
                    (status, error.code().name.lower(), error.details()))

    def test_a_slip_in_a_name_is_told(self):
        answer = self.cluster.call("JobService/SubmitJob", {"spec": {
            "taskType": "sleep", "timeouts": {"inactivty": "3s"}}})
        self.assertEqual((answer.status, answer.code),
                         (400, "invalid_argument"))
        self.assertIn("inactivty", answer.message)

    def test_a_request_id_is_known_again_over_both(self):
        message = {"requestId": "over-http", "spec": {"taskType": "sleep",
                                                      "arguments": ["0"]}}
        first = self.cluster.call("JobService/SubmitJob", message).json
        again = self.cluster.call("JobService/SubmitJob", message).json
        request = json_format.ParseDict(
            message, job_service_pb2.SubmitJobRequest())
        self.assertEqual(first["job"]["jobId"], again["job"]["jobId"])
        self.assertEqual(first["job"]["jobId"], self.cluster.submit(request))

    def test_commands_are_refused_though_they_are_allowed_on_the_socket(self):
        message = {"spec": {"command": {"argv": ["/bin/true"]}}}
        answer = self.cluster.call("JobService/SubmitJob", message)
        self.assertEqual((answer.status, answer.code),
                         (403, "permission_denied"))
        stream = self.cluster.stream("JobService/RunJob", {"job": message})
        self.addCleanup(stream.close)
        self.assertEqual(list(stream), [])
        self.assertEqual(stream.end["error"]["code"], "permission_denied")
        self.cluster.submit(self.cluster.command("/bin/true"))

    def test_a_task_that_submits_is_refused_by_name(self):
        before = self.cluster.get_status().nested_dispatches
        answer = self.cluster.call(
            "JobService/SubmitJob", {"spec": {"taskType": "sleep"}},
            headers={"Vigil-Task": "job=parent;attempt=1"})
        self.assertEqual((answer.status, answer.code),
                         (400, "failed_precondition"))
        self.assertIn("NESTED_DISPATCH: job parent (attempt 1)",
                      answer.message)
        self.assertEqual(self.cluster.get_status().nested_dispatches,
                         before + 1)

    def test_a_deadline_that_is_over_is_told_as_one(self):
        answer = self.cluster.call("JobService/ListJobs",
                                   headers={"Connect-Timeout-Ms": "0"})
        self.assertEqual((answer.status, answer.code),
                         (504, "deadline_exceeded"))

    def test_health_is_served(self):
        answer = self.cluster.post("/grpc.health.v1.Health/Check", "{}")
        self.assertEqual(answer.json, {"status": "SERVING"})

    def test_json_whose_message_is_too_large_is_told_as_binary_is(self):
        # Three bytes of a message for four of JSON, and a little.
        data = base64.b64encode(b"x" * (4 << 20)).decode()
        message = {"spec": {"taskType": "sleep", "input": data}}
        answer = self.cluster.call("JobService/SubmitJob", message)
        self.assertEqual((answer.status, answer.code),
                         (413, "resource_exhausted"))
        self.assertIn("4194304", answer.message)
        stream = self.cluster.stream("JobService/RunJob", {"job": message})
        self.addCleanup(stream.close)
        self.assertEqual(list(stream), [])
        self.assertEqual(stream.end["error"]["code"], "resource_exhausted")
        self.assertIn("4194304", stream.end["error"]["message"])


class WebPageTest(HttpTestCase):
    """What a page in a browser on the same machine can send."""

    def send(self, method, headers, body="{}"):
        connection = self.cluster.connect()
        self.addCleanup(connection.close)
        connection.request(method, "/vigil.v1.JobService/SubmitJob", body,
                           headers)
        response = connection.getresponse()
        self.assertFalse([name for name in response.headers
                          if name.lower().startswith("access-control")])
        return response.status

    def test_no_page_of_another_origin_gets_in(self):
        jobs = len(self.cluster.list_jobs())
        own = f"localhost:{self.cluster.port}"
        good = {"Content-Type": "application/json", "Host": own}
        spec = json.dumps({"spec": {"taskType": "sleep", "arguments": ["0"]}})
        for origin in ("http://evil.example", "null", "http://localhost",
                       f"http://127.0.0.1:{self.cluster.port}"):
            self.assertEqual(
                self.send("POST", {**good, "Origin": origin}, spec), 403)
            self.assertEqual(
                self.send("OPTIONS", {**good, "Origin": origin}), 403)
        # DNS rebinding: its own name, which points here.
        for host in ("evil.example", f"evil.example:{self.cluster.port}"):
            self.assertEqual(
                self.send("POST", {**good, "Host": host,
                                   "Origin": f"http://{host}"}, spec), 403)
        # Without Origin, as a form of an old browser's.
        for kind in ("text/plain", "application/x-www-form-urlencoded",
                     "multipart/form-data; boundary=x"):
            self.assertEqual(
                self.send("POST", {**good, "Content-Type": kind}, spec), 415)
        self.assertEqual(self.send("GET", good), 405)
        self.assertEqual(len(self.cluster.list_jobs()), jobs)
        self.assertEqual(
            self.send("POST", {**good, "Origin": f"http://{own}"}, spec), 200)


class FullTest(unittest.TestCase):

    def test_who_is_told_to_wait_is_told_for_how_long(self):
        with HttpCluster(flags=["--live_jobs_max=1"]) as cluster:
            cluster.submit_type("sleep", "600")
            answer = cluster.call("JobService/SubmitJob",
                                  {"spec": {"taskType": "sleep"}})
            self.assertEqual((answer.status, answer.code),
                             (429, "resource_exhausted"))
            delay_ms = int(answer.headers["trailer-grpc-retry-pushback-ms"])
            self.assertGreater(delay_ms, 0)
            self.assertEqual(int(answer.headers["retry-after"]),
                             -(-delay_ms // 1000))


if __name__ == "__main__":
    unittest.main()

"""JSON over HTTP says what gRPC says: the same answers, errors, limits and
streams, for every method that the descriptors have; and it says nothing to web
pages of others.
"""
import base64
import http.client
import json
import time
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

from cluster import State, wait_until
from deadline_case import seconds
from http_case import STREAM, HttpCluster, envelope, frames

SERVICES = [module.DESCRIPTOR.services_by_name[name] for module, name in (
    (job_service_pb2, "JobService"), (batch_service_pb2, "BatchService"),
    (worker_service_pb2, "WorkerService"),
    (status_service_pb2, "StatusService"))]
MESSAGES = MessageFactory()


def output_of(events):
    """The bytes of stdout in a stream's events."""
    return b"".join(
        base64.b64decode(event["event"]["output"]["data"])
        for event in events if "output" in event["event"])


def job_in(events):
    """The job as the stream told it last."""
    return [event["event"]["job"]
            for event in events if "job" in event["event"]][-1]


class HttpCase(unittest.TestCase):
    """A cluster for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = HttpCluster()
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

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


class SingleAnswerTest(HttpCase):

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

    def test_connections_are_kept_and_bodies_may_come_in_pieces(self):
        connection = self.cluster.connect()
        self.addCleanup(connection.close)
        connection.connect()
        sock = connection.sock
        for _ in range(3):
            for body in (b"{}", iter([b"{", b"}"])):
                answer = self.cluster.post("/grpc.health.v1.Health/Check",
                                           body, connection=connection)
                self.assertEqual(answer.status, 200)
            # An error of the RPC ends no connection.
            answer = self.cluster.call("JobService/GetJob", {"jobId": "no"},
                                       connection=connection)
            self.assertEqual(answer.status, 404)
            self.assertIs(connection.sock, sock)

    def test_what_waits_for_a_word_before_it_sends_gets_it(self):
        with self.cluster.socket() as sock:
            sock.sendall(b"POST /grpc.health.v1.Health/Check HTTP/1.1\r\n"
                         b"Host: localhost:%d\r\nContent-Length: 2\r\n"
                         b"Content-Type: application/json\r\n"
                         b"Expect: 100-continue\r\n\r\n" % self.cluster.port)
            self.assertTrue(sock.recv(1000).startswith(
                b"HTTP/1.1 100 Continue\r\n"))
            sock.sendall(b"{}")
            self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_head_is_answered_without_a_body(self):
        for path in ("/vigil.v1.JobService/GetJob", "/"):
            with self.subTest(path=path), self.cluster.socket() as sock:
                sock.sendall(b"HEAD %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n"
                             % (path.encode(), self.cluster.port))
                text = b""
                while piece := sock.recv(65536):
                    text += piece
                self.assertRegex(text, b"^HTTP/1.1 40[45] ")
                self.assertRegex(text, b"(?i)content-length: [1-9]")
                self.assertTrue(text.endswith(b"\r\n\r\n"), text)

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

    def test_requests_ahead_of_their_turn_are_answered_in_order(self):
        request = (b"POST /%s HTTP/1.1\r\nHost: localhost:%d\r\n"
                   b"Content-Type: application/json\r\n"
                   b"Content-Length: 2\r\n\r\n{}")
        with self.cluster.socket() as sock:
            sock.sendall(b"".join(
                request % (path, self.cluster.port) for path in (
                    b"grpc.health.v1.Health/Check",
                    b"vigil.v1.StatusService/GetStatus",
                    b"grpc.health.v1.Health/Check",
                    b"no")))
            text = b""
            while piece := sock.recv(65536):
                text += piece
        statuses = [part[:3] for part in text.split(b"HTTP/1.1 ")[1:]]
        self.assertEqual(statuses, [b"200", b"200", b"200", b"404"])
        self.assertLess(text.index(b'"SERVING"'), text.index(b'"epoch"'))

    def test_any_number_of_requests_may_come_ahead_of_their_turn(self):
        request = (b"POST /vigil.v1.StatusService/GetStatus HTTP/1.1\r\n"
                   b"Host: localhost:%d\r\nContent-Type: application/json\r\n"
                   b"Content-Length: 2\r\n\r\n{}") % self.cluster.port
        count = 300
        with self.cluster.socket() as sock:
            sock.sendall(request * count)
            text = b""
            while text.count(b"HTTP/1.1 200 OK\r\n") < count:
                piece = sock.recv(65536)
                self.assertTrue(piece, "the connection was ended")
                text += piece


def streams(method):
    """Whether one side of a method is a stream."""
    return method.client_streaming or method.server_streaming


class StreamTest(HttpCase):

    def test_a_run_streams_what_it_prints_and_how_it_ended(self):
        stream = self.cluster.stream("JobService/RunJob", {"job": {"spec": {
            "taskType": "talker", "arguments": ["20*0.01", "exit:3"]}}})
        self.addCleanup(stream.close)
        self.assertEqual(stream.response.headers["content-type"], STREAM)
        events = list(stream)
        self.assertEqual(output_of(events),
                         b"".join(b"token %d\n" % i for i in range(20)))
        self.assertEqual(job_in(events)["state"], "STATE_FAILED")
        self.assertEqual(stream.end, {})

    def test_events_come_as_they_happen(self):
        stream = self.cluster.stream("JobService/RunJob", {"job": {"spec": {
            "taskType": "talker", "arguments": ["out:first", "600"]}}})
        self.addCleanup(stream.close)
        job_id = None
        for event in stream:
            job_id = event["event"].get("job", {}).get("jobId", job_id)
            if "output" in event["event"]:
                break
        self.assertEqual(self.cluster.get(job_id).state, State.STATE_RUNNING)
        self.cluster.cancel(job_id)
        self.assertEqual(job_in(list(stream))["state"], "STATE_CANCELLED")

    def test_binary_streams(self):
        job_id = self.cluster.submit_type("talker", "out:hello")
        request = job_service_pb2.WatchJobRequest(job_id=job_id)
        connection = self.cluster.connect()
        self.addCleanup(connection.close)
        connection.request(
            "POST", "/vigil.v1.JobService/WatchJob",
            envelope(request.SerializeToString()),
            {"Content-Type": "application/connect+proto"})
        response = connection.getresponse()
        self.assertEqual(response.headers["content-type"],
                         "application/connect+proto")
        *events, end = frames(response.read)
        self.assertEqual(end, (2, b"{}"))
        self.assertEqual(b"".join(
            job_service_pb2.WatchJobResponse.FromString(message)
            .event.output.data for _, message in events), b"hello\n")

    def test_a_cursor_goes_on_where_a_broken_stream_stopped(self):
        job_id = self.cluster.submit_type("talker", "out:a", "out:b",
                                          "0.5", "50*0.01")
        out, cursor, cuts = b"", "", 0
        while True:
            stream = self.cluster.stream(
                "JobService/WatchJob", {"jobId": job_id, "cursor": cursor})
            events = []
            for event in stream:
                events.append(event)
                cursor = event["event"]["cursor"]
                if "output" in event["event"] and cuts < 10:
                    cuts += 1
                    break
            out += output_of(events)
            stream.close()
            if stream.end is not None:
                break
        self.assertEqual(cuts, 10)
        self.assertEqual(out, b"a\nb\n" + b"".join(
            b"token %d\n" % i for i in range(50)))

    def test_a_deadline_ends_a_stream(self):
        job_id = self.cluster.submit_type("sleep", "600")
        stream = self.cluster.stream("JobService/WatchJob", {"jobId": job_id},
                                     {"Connect-Timeout-Ms": "500"})
        self.addCleanup(stream.close)
        self.assertTrue(list(stream))
        self.assertEqual(stream.end["error"]["code"], "deadline_exceeded")
        self.cluster.cancel(job_id)

    def test_what_is_no_envelope_is_told_in_the_streams_end(self):
        for body in (b"{}", b"", envelope(b"{}") * 2, envelope(b"{}", 1),
                     envelope(b"[]"), envelope(b"{}")[:-1]):
            answer = self.cluster.post("/vigil.v1.JobService/WatchJob", body,
                                       {"Content-Type": STREAM})
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.body[0], 2)
            end = json.loads(answer.body[5:])
            self.assertEqual(end["error"]["code"], "invalid_argument", body)

    def test_a_slow_reader_loses_nothing_and_slows_its_task_down(self):
        lines, filler = 3000, 4000  # 12 MB, far above every buffer between
        stream = self.cluster.stream("JobService/RunJob", {"job": {"spec": {
            "taskType": "counting", "arguments": [str(lines), "0", str(filler)],
            "timeouts": {"inactivityTimeout": "1s"}}}})
        self.addCleanup(stream.close)
        events = []
        for event in stream:
            events.append(event)
            if "output" in event["event"]:
                break
        job_id = job_in(events)["jobId"]

        def printed():
            return self.cluster.get(job_id).attempts[0].stdout_bytes

        def stalled():
            before = printed()
            time.sleep(1.2)
            return before == printed()
        wait_until(stalled, "the worker stops reading")
        self.assertLess(printed(), lines * filler)
        self.assertEqual(self.cluster.get(job_id).state, State.STATE_RUNNING)
        events += list(stream)
        self.assertEqual(job_in(events)["state"], "STATE_SUCCEEDED")
        self.assertTrue(output_of(events) == b"".join(
            b"%d %s\n" % (i, b"." * filler) for i in range(lines)))

    def test_a_client_that_goes_away_ends_its_run(self):
        start = time.time()
        stream = self.cluster.stream("JobService/RunJob", {"job": {"spec": {
            "taskType": "sleep", "arguments": ["600"]}}})
        job_id = next(iter(stream))["event"]["job"]["jobId"]
        # It is silent: nothing is written by which its end would be noticed.
        stream.close()
        job = self.cluster.finish(job_id)
        self.assertEqual(job.state, State.STATE_CANCELLED)
        # Ten seconds in which somebody may take over, and no more.
        self.assertGreaterEqual(seconds(job.end_time), start + 10)
        self.assertLess(seconds(job.end_time), start + 20)


class WebPageTest(HttpCase):
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


class LimitsAndEndTest(unittest.TestCase):

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

    def test_a_coordinator_that_ends_ends_its_streams_and_waits_for_none(self):
        with HttpCluster() as cluster:
            streams = [cluster.stream("JobService/RunJob", {"job": {"spec": {
                "taskType": "counting", "arguments": arguments}}})
                for arguments in (["1", "600"], ["100000", "0", "4000"])]
            for stream in streams:
                self.addCleanup(stream.close)
            silent = next(iter(streams[0]))["event"]["job"]["jobId"]
            next(iter(streams[1]))  # reads no more
            idle = cluster.connect()
            self.addCleanup(idle.close)
            cluster.call("StatusService/GetStatus", connection=idle)
            half = cluster.socket()
            self.addCleanup(half.close)
            half.sendall(b"POST /vigil.v1")
            wait_until(lambda: cluster.get(silent).state == State.STATE_RUNNING,
                       "the job runs")
            start = time.monotonic()
            self.assertEqual(cluster.terminate(), 0)
            self.assertLess(time.monotonic() - start, 20)
            for event in streams[0]:
                self.assertNotIn(
                    event["event"].get("job", {}).get("state"),
                    ("STATE_SUCCEEDED", "STATE_FAILED", "STATE_CANCELLED"))
            self.assertEqual(streams[0].end["error"]["code"], "unavailable")
            with self.assertRaises((OSError, http.client.HTTPException)):
                cluster.call("StatusService/GetStatus")


if __name__ == "__main__":
    unittest.main()

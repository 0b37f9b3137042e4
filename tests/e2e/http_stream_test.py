"""Streams over HTTP bring what streams over gRPC bring, as it happens, to
whoever reads, reads slowly, goes away or comes back; and they end with their
coordinator.
"""
import base64
import http.client
import json
import time
import unittest

from vigil.v1 import job_service_pb2

from cluster import State, wait_until
from deadline_case import seconds
from http_case import STREAM, HttpCluster, HttpTestCase, envelope, frames


def output_of(events):
    """The bytes of stdout in a stream's events."""
    return b"".join(
        base64.b64decode(event["event"]["output"]["data"])
        for event in events if "output" in event["event"])


def job_in(events):
    """The job as the stream told it last."""
    return [event["event"]["job"]
            for event in events if "job" in event["event"]][-1]


class StreamTest(HttpTestCase):

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


class EndTest(unittest.TestCase):

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

"""Clients of HTTP that send garbage, too much, too slowly or nothing at all, that
do not read, and that come by the thousand: each is refused or cut off, with a
word where it can hear one, and meanwhile others are served, over HTTP and over
gRPC. Afterwards nothing of them is left.

Figures are those of coordinator/http/limits.h.
"""
import contextlib
import json
import os
import socket
import time
import unittest

from cluster import wait_until
from http_case import HttpCluster, head
from load_case import resident_mib

CONNECTIONS_MAX = 512
STREAMS_MAX = 384
HEAD_BYTES_MAX = 16 << 10
INPUT_BYTES_MAX = 128 << 10
BODY_BYTES_MAX = 6 << 20
HELD_BYTES_MAX = 64 << 20
HEAD_TIMEOUT = 10
# Two cores with other tests beside.
SOON = 5


def read_all(sock):
    """What comes until the other side ends; a reset is an end too."""
    text = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            text += piece
    return text


def is_closed(sock):
    """Whether the other side has ended the connection, without waiting."""
    sock.setblocking(False)
    try:
        return sock.recv(65536) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    finally:
        sock.setblocking(True)


class RudeTest(unittest.TestCase):

    def setUp(self):
        self.cluster = HttpCluster(local_slots=1)
        self.cluster.__enter__()
        self.addCleanup(self.cluster.__exit__, None, None, None)
        self.sockets = []
        self.addCleanup(self.hang_up)
        self.fds = self.count_fds()

    def hang_up(self):
        while self.sockets:
            self.sockets.pop().close()

    def count_fds(self):
        return len(os.listdir(f"/proc/{self.cluster.coordinator.pid}/fd"))

    def open(self, data=b""):
        sock = self.cluster.socket()
        self.sockets.append(sock)
        # A connection that was refused may be over already.
        with contextlib.suppress(ConnectionError):
            sock.sendall(data)
        return sock

    def refused(self, data):
        """Sends it and returns the status and the code of the refusal."""
        sock = self.open(data)
        text = read_all(sock)
        self.assertTrue(text.startswith(b"HTTP/1.1 "), text)
        return (int(text[9:12]),
                json.loads(text.split(b"\r\n\r\n", 1)[1])["code"])

    def assert_serves(self):
        """Others are answered, soon, over both."""
        start = time.monotonic()
        answer = self.cluster.post("/grpc.health.v1.Health/Check", "{}")
        self.assertEqual((answer.status, answer.json),
                         (200, {"status": "SERVING"}))
        self.cluster.get_status()
        self.assertLess(time.monotonic() - start, SOON)

    def assert_forgotten(self):
        """Once they are gone, no descriptor of theirs is left."""
        self.hang_up()
        wait_until(lambda: self.count_fds() <= self.fds,
                   "the descriptors are closed")
        self.assert_serves()

    def test_garbage_is_told_that_it_is_none_of_http(self):
        for data in (b"\0\1\2\3\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
                     b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                     b"POST / HTTP/1.1\r\nno colon\r\n\r\n",
                     b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                     b"POST / HTTP/1.1\r\nContent-Length: 1\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n",
                     head(self.cluster, "Transfer-Encoding: chunked")
                     + b"zz\r\n"):
            with self.subTest(data=data):
                self.assertEqual(self.refused(data), (400, "invalid_argument"))
        self.assertEqual(
            self.refused(head(self.cluster).replace(b"HTTP/1.1", b"HTTP/1.0")),
            (505, "unimplemented"))
        self.assert_forgotten()

    def test_no_body_is_taken_for_the_next_request(self):
        inner = (head(self.cluster, "Content-Length: 2") + b"{}"
                 + b"no HTTP\r\n\r\n")
        for fields, status in (
                (["Transfer-Encoding: xchunked"], 501),
                (["Transfer-Encoding: identity"], 501),
                (["Transfer-Encoding: chunked, identity"], 501),
                (["Transfer-Encoding: gzip"], 501),
                (["Transfer-Encoding:"], 501),
                (["Transfer-Encoding: gzip, chunked"], 501),
                (["Transfer-Encoding: chunked",
                  "Transfer-Encoding: chunked"], 400),
                (["Transfer-Encoding: chunked",
                  "Transfer-Encoding: identity"], 400),
                (["Transfer-Encoding: gzip", "Content-Length: 2"], 400),
                (["Content-Length: 2", "Transfer-Encoding: xchunked"], 400),
                (["Transfer-Encoding: chunked", "Content-Length: 2"], 400),
                (["Content-Length: 2", "Content-Length: 2"], 400),
                (["Content-Length: +2"], 400),
                (["Content-Length: 2, 2"], 400),
                (["Transfer-Encoding : chunked"], 400)):
            for body in (b"", b"2\r\n{}\r\n0\r\n\r\n"):
                with self.subTest(fields=fields, body=body):
                    sock = self.open(head(self.cluster, *fields) + body + inner)
                    text = read_all(sock)
                    self.assertEqual(text.count(b"HTTP/1.1 "), 1, text)
                    self.assertEqual(int(text[9:12]), status, text)
        self.assert_forgotten()

    def test_coding_is_known_however_it_is_written(self):
        for field in ("Transfer-Encoding: chunked", "transfer-encoding:CHUNKED",
                      "Transfer-Encoding: \t chunked \t",
                      "Transfer-Encoding:\r\n chunked"):
            with self.subTest(field=field):
                sock = self.open(head(self.cluster, field)
                                 + b"2\r\n{}\r\n0\r\n\r\n" + b"no HTTP\r\n\r\n")
                text = read_all(sock)
                self.assertEqual(text.count(b"HTTP/1.1 "), 2, text)
                self.assertTrue(text.startswith(b"HTTP/1.1 200 OK"), text)
                self.assertIn(b"HTTP/1.1 400 ", text)

    def test_what_is_expected_beyond_a_word_is_refused(self):
        self.assertEqual(
            self.refused(head(self.cluster, "Expect: foo",
                              "Content-Length: 2")),
            (417, "unimplemented"))
        self.assert_forgotten()

    def test_trailers_may_have_so_many_bytes_and_no_more(self):
        def trailed(size):
            return (head(self.cluster, "Transfer-Encoding: chunked")
                    + b"2\r\n{}\r\n0\r\nX: " + b"x" * size + b"\r\n\r\n")
        sock = self.open(trailed(HEAD_BYTES_MAX - 1024))
        self.assertTrue(sock.recv(65536).startswith(b"HTTP/1.1 200 OK"))
        self.assertEqual(self.refused(trailed(INPUT_BYTES_MAX + 1024)),
                         (431, "resource_exhausted"))
        self.assert_forgotten()

    def test_a_head_may_have_so_many_bytes_and_no_more(self):
        def padded(size):
            rest = size - len(head(self.cluster, "Content-Length: 2", "X: "))
            return head(self.cluster, "Content-Length: 2", "X: " + "x" * rest)
        sock = self.open(padded(HEAD_BYTES_MAX - 1024) + b"{}")
        self.assertTrue(sock.recv(65536).startswith(b"HTTP/1.1 200 OK"))
        self.assertEqual(self.refused(padded(HEAD_BYTES_MAX + 1024)),
                         (431, "resource_exhausted"))
        self.assert_forgotten()

    def test_a_body_may_have_so_many_bytes_and_no_more(self):
        for size, status in ((BODY_BYTES_MAX, 400), (BODY_BYTES_MAX + 1, 413)):
            body = b" " * size
            with self.subTest(size=size):
                answer = self.cluster.post(
                    "/grpc.health.v1.Health/Check", body)
                self.assertEqual(answer.status, status, answer.body)
        # One whose length is not told beforehand, and one that only threatens.
        data = head(self.cluster, "Transfer-Encoding: chunked") + (
            b"100000\r\n" + b" " * 0x100000 + b"\r\n") * 7
        self.assertEqual(self.refused(data), (413, "resource_exhausted"))
        self.assertEqual(
            self.refused(head(self.cluster, "Content-Length: 9999999999")),
            (413, "resource_exhausted"))
        self.assert_forgotten()

    def test_heads_that_trickle_in_are_cut_off(self):
        start = time.monotonic()
        sock = self.open(b"POST /vigil.v1")
        while not is_closed(sock):
            self.assertLess(time.monotonic() - start, 3 * HEAD_TIMEOUT)
            with contextlib.suppress(ConnectionError):
                sock.sendall(b"x")
            time.sleep(0.2)
            self.assert_serves()
        self.assertGreater(time.monotonic() - start, HEAD_TIMEOUT - 1)
        self.assert_forgotten()

    def test_a_thousand_silent_connections_shut_nobody_out(self):
        before = resident_mib(self.cluster.coordinator.pid)
        for i in range(1000):
            # Silent ones, slow ones, and ones that had an answer.
            self.open((b"", b"POST /", head(
                self.cluster, "Content-Length: 2") + b"{}")[i % 3])
        self.assert_serves()
        self.assertLessEqual(self.count_fds() - self.fds, CONNECTIONS_MAX + 1)
        # The first to come are the first to go.
        self.assertTrue(is_closed(self.sockets[0]))
        self.assertLess(resident_mib(self.cluster.coordinator.pid) - before,
                        100)
        self.assert_forgotten()

    def test_when_all_connections_are_busy_others_are_told_to_wait(self):
        for _ in range(CONNECTIONS_MAX):
            self.open(head(self.cluster, "Content-Length: 2") + b"{")
        wait_until(
            lambda: self.count_fds() - self.fds >= CONNECTIONS_MAX,
            "all are accepted")

        def told():
            answer = self.cluster.post("/grpc.health.v1.Health/Check", "{}")
            return answer if answer.status == 503 else None
        # One of the last may still be without its head.
        answer = wait_until(told, "there is no room")
        self.assertEqual(answer.code, "unavailable")
        self.assertEqual(answer.headers["retry-after"], "1")
        self.cluster.get_status()
        self.sockets.pop().close()
        wait_until(lambda: self.cluster.post(
            "/grpc.health.v1.Health/Check", "{}").status == 200,
            "there is room again")
        self.assert_forgotten()

    def test_streams_leave_room_for_questions(self):
        job_id = self.cluster.submit_type("sleep", "600")
        streams = []
        for _ in range(STREAMS_MAX):
            streams.append(self.cluster.stream("JobService/WatchJob",
                                               {"jobId": job_id}))
            self.addCleanup(streams[-1].close)
            next(iter(streams[-1]))
        more = self.cluster.stream("JobService/WatchJob", {"jobId": job_id})
        self.addCleanup(more.close)
        self.assertEqual(list(more), [])
        self.assertEqual(more.end["error"]["code"], "resource_exhausted")
        self.assert_serves()
        streams.pop().close()

        def opens():
            stream = self.cluster.stream("JobService/WatchJob",
                                         {"jobId": job_id})
            self.addCleanup(stream.close)
            return next(iter(stream), None)
        wait_until(opens, "a stream may be opened again")
        self.assert_serves()

    def test_bodies_that_stand_still_give_way_to_those_that_move(self):
        before = resident_mib(self.cluster.coordinator.pid)
        part = b" " * (4 << 20)
        for _ in range(30):
            self.open(head(self.cluster, f"Content-Length: {BODY_BYTES_MAX}")
                      + part)
        answer = self.cluster.call("JobService/SubmitJob", {
            "spec": {"taskType": "nobody", "labels": {}},
            "requestId": "x" * (3 << 20)})
        self.assertNotIn(answer.status, (413, 503))
        wait_until(lambda: is_closed(self.sockets[0]), "the first is cut off")
        self.assertFalse(is_closed(self.sockets[-1]))
        # Twice what may be held: strings grow by doubling.
        self.assertLess(resident_mib(self.cluster.coordinator.pid) - before,
                        2 * (HELD_BYTES_MAX >> 20) + 50)
        self.assert_serves()
        self.assert_forgotten()

    def test_who_sends_ahead_without_end_is_cut_off(self):
        job_id = self.cluster.submit_type("sleep", "600")
        stream = self.cluster.stream("JobService/WatchJob", {"jobId": job_id})
        self.addCleanup(stream.close)
        events = iter(stream)
        next(events)
        with self.assertRaises(ConnectionError):
            while True:
                stream.connection.sock.sendall(b"x" * 65536)
        self.assert_serves()

    def test_clients_that_are_half_gone_are_gone(self):
        for data in (b"", b"POST /", head(self.cluster, "Content-Length: 2"),
                     head(self.cluster, "Content-Length: 2") + b"{"):
            sock = self.open(data)
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(sock), b"")
        # The request is whole, but nobody waits for the answer.
        job_id = self.cluster.submit_type("sleep", "600")
        stream = self.cluster.stream("JobService/WatchJob", {"jobId": job_id})
        self.addCleanup(stream.close)
        next(iter(stream))
        stream.connection.sock.shutdown(socket.SHUT_WR)
        wait_until(lambda: is_closed(stream.connection.sock),
                   "the stream is ended")
        stream.close()
        self.assert_forgotten()


if __name__ == "__main__":
    unittest.main()

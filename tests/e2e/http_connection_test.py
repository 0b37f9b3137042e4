"""HTTP/1.1 itself, whatever is called over it: connections are kept, and requests
may come in pieces, behind a word, and ahead of their turn.
"""
import unittest

from http_case import HttpTestCase, head


class ConnectionTest(HttpTestCase):

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
            sock.sendall(head(self.cluster, "Content-Length: 2",
                              "Expect: 100-continue"))
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

    def test_requests_ahead_of_their_turn_are_answered_in_order(self):
        with self.cluster.socket() as sock:
            sock.sendall(b"".join(
                head(self.cluster, "Content-Length: 2", path=path) + b"{}"
                for path in ("/grpc.health.v1.Health/Check",
                             "/vigil.v1.StatusService/GetStatus",
                             "/grpc.health.v1.Health/Check",
                             "/no")))
            text = b""
            while piece := sock.recv(65536):
                text += piece
        statuses = [part[:3] for part in text.split(b"HTTP/1.1 ")[1:]]
        self.assertEqual(statuses, [b"200", b"200", b"200", b"404"])
        self.assertLess(text.index(b'"SERVING"'), text.index(b'"epoch"'))

    def test_any_number_of_requests_may_come_ahead_of_their_turn(self):
        request = head(self.cluster, "Content-Length: 2",
                       path="/vigil.v1.StatusService/GetStatus") + b"{}"
        count = 300
        with self.cluster.socket() as sock:
            sock.sendall(request * count)
            text = b""
            while text.count(b"HTTP/1.1 200 OK\r\n") < count:
                piece = sock.recv(65536)
                self.assertTrue(piece, "the connection was ended")
                text += piece


if __name__ == "__main__":
    unittest.main()

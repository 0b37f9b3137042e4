"""HttpCluster: a Cluster that serves HTTP too, and what its tests say to it: the
Connect protocol over http.client, as any client would, and bare sockets.

Over HTTP no commands are run, so its catalog has the tests' programs.
"""
import http.client
import json
import socket
import struct
import unittest

from cluster import PATIENCE, PYTHON, TASKS, Cluster

CATALOG = "".join(f"""task_types {{
    name: "{name}"
    argv: "{argv[0]}" {"".join(f' argv: "{arg}"' for arg in argv[1:])}
    allow_arguments: true
}}
""" for name, argv in {
    "talker": (PYTHON, f"{TASKS}/talker.py"),
    "counting": (PYTHON, f"{TASKS}/counting.py"),
    "sleep": ("/bin/sleep",),
}.items())

JSON = "application/json"
STREAM = "application/connect+json"


def head(cluster, *fields, path="/grpc.health.v1.Health/Check"):
    """The head of a good request, with fields of its own."""
    return "\r\n".join([
        f"POST {path} HTTP/1.1", f"Host: localhost:{cluster.port}",
        "Content-Type: application/json", *fields, "", ""]).encode()


def envelope(message, flags=0):
    """A message of a stream as it is sent."""
    return struct.pack(">BI", flags, len(message)) + message


def frames(read):
    """The (flags, message) of a stream that read(size) gives."""
    while True:
        head = read(5)
        if not head:
            return
        flags, size = struct.unpack(">BI", head)
        message = b""
        while len(message) < size:
            piece = read(size - len(message))
            assert piece, "cut off within a message"
            message += piece
        yield flags, message


class Answer:
    """What came back from a call of a method with one answer."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        """The body."""
        assert self.headers["content-type"] == JSON, self.headers
        return json.loads(self.body)

    @property
    def code(self):
        """The Connect protocol's name of the error."""
        return self.json["code"]

    @property
    def message(self):
        """The error's message."""
        return self.json["message"]


class Stream:
    """A call of a method that answers with a stream."""

    def __init__(self, connection, response):
        self.connection = connection
        self.response = response
        self.end = None
        self.frames = frames(response.read)

    def __iter__(self):
        """The messages, as JSON; `end` is set after the last."""
        for flags, message in self.frames:
            if flags == 2:
                self.end = json.loads(message)
                assert self.response.read() == b"", "something behind the end"
                return
            assert flags == 0, flags
            yield json.loads(message)

    def close(self):
        """Goes away, whatever there is to read."""
        # The response holds the socket as well.
        self.response.close()
        self.connection.close()


class HttpCluster(Cluster):
    """A cluster with --http_listen."""

    def __init__(self, flags=(), **options):
        super().__init__(flags=["--http_listen=127.0.0.1:0", *flags],
                         **{"catalog": CATALOG, **options})
        self.port = None

    def start(self):
        super().start()
        self.port = self.http_port()

    def connect(self, timeout=PATIENCE):
        """A connection for several calls."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout)

    def socket(self, timeout=PATIENCE):
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def post(self, path, body, headers=None, connection=None):
        """Sends a POST and returns the answer."""
        own = connection or self.connect()
        try:
            own.request("POST", path, body,
                        {"Content-Type": JSON, **(headers or {})})
            return Answer(own.getresponse())
        finally:
            if connection is None:
                own.close()

    def call(self, method, message=None, **options):
        """Calls "JobService/GetJob" or so with JSON."""
        return self.post(f"/vigil.v1.{method}", json.dumps(message or {}),
                         **options)

    def stream(self, method, message=None, headers=None):
        """Calls a method that answers with a stream; close() what it gives."""
        connection = self.connect()
        connection.request(
            "POST", f"/vigil.v1.{method}",
            envelope(json.dumps(message or {}).encode()),
            {"Content-Type": STREAM, **(headers or {})})
        response = connection.getresponse()
        assert response.status == 200, response.read()
        return Stream(connection, response)

    def submit_type(self, name, *arguments, **spec):
        """Submits a job of a type over HTTP; returns its id."""
        answer = self.call("JobService/SubmitJob", {"spec": {
            "taskType": name, "arguments": list(map(str, arguments)), **spec}})
        assert answer.status == 200, answer.body
        return answer.json["job"]["jobId"]


class HttpTestCase(unittest.TestCase):
    """A cluster for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = HttpCluster()
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

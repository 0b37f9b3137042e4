"""Proves that a service with @connectrpc/connect-node can do all that a client
has to: checks.txt, on a real coordinator, over gRPC and in the Connect protocol
over HTTP/1.1.
"""
import os
import socket
import subprocess

import npm_packages
from client_case import (
    CLIENT_PATIENCE, ClientTestCase, checks, generate, stage)


class ConnectClientTestCase(ClientTestCase):

    def setUp(self):
        super().setUp()
        self.client = stage("connect", self.cluster.dir)
        (self.client / "package.json").write_text('{"type": "module"}')
        installed = npm_packages.root()
        generate(self.client / "gen", "--es_out=.",
                 "--es_opt=target=js,import_extension=js",
                 "--plugin=protoc-gen-es="
                 f"{installed}/node_modules/.bin/protoc-gen-es",
                 path=f"{installed}:{os.environ['PATH']}")
        self.url = f"http://{self.proxy.address}"


class GrpcTest(ConnectClientTestCase):

    def test_grpc_makes_all_checks(self):
        self.assert_makes_all_checks(npm_packages.node(
            self.client / "conformance.mjs", "grpc", self.url, *checks()))


class HttpTest(ConnectClientTestCase):

    def flags(self):
        return ["--http_listen=127.0.0.1:0",
                f"--http_hosts={self.proxy.address}"]

    def connect(self):
        # A restarted coordinator has another port.
        return socket.create_connection(
            ("127.0.0.1", self.cluster.http_port()))

    def test_http_makes_all_checks(self):
        names = checks(without="(stream)")
        self.assert_makes_all_checks(npm_packages.node(
            self.client / "conformance.mjs", "connect", self.url, *names),
            names=names)

    def test_the_example_runs_a_task(self):
        (self.gates / "open").touch()
        ended = subprocess.run(
            npm_packages.node(self.client / "run_job.mjs", self.url, "task",
                              "talk", "open"),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=CLIENT_PATIENCE, check=False)
        self.assertEqual(ended.stdout.split(), [*"123456", "SUCCEEDED"],
                         ended.stderr)
        self.assertEqual(ended.returncode, 0)

"""Proves that a service with @connectrpc/connect-node can do all that a client
has to: checks.txt, on a real coordinator, over gRPC.
"""
import os

import npm_packages
from client_case import ClientTestCase, checks, generate, stage


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

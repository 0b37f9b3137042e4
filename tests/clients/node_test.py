"""Proves that a Node.js service with @grpc/grpc-js can do all that a client has
to: checks.txt, on a real coordinator.
"""
import npm_packages
from client_case import PROTO, ClientTestCase, checks, stage

ENV = {"VIGIL_PROTO": str(PROTO)}


class NodeClientTest(ClientTestCase):

    def setUp(self):
        super().setUp()
        self.client = stage("node", self.cluster.dir)

    def test_grpc_js_makes_all_checks(self):
        self.assert_makes_all_checks(
            npm_packages.node(self.client / "conformance.mjs",
                              self.proxy.address, *checks()), ENV)

    def test_the_example_runs_a_command(self):
        self.assert_runs_a_command(
            npm_packages.node(self.client / "run_job.mjs"), ENV)

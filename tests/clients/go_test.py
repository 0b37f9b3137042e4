"""Proves that a Go service can do all that a client has to, with Debian's gRPC
1.33: checks.txt, on a real coordinator.
"""
from client_case import HERE, ClientTestCase, checks

# Built by go/build.sh.
RUN_JOB = HERE / "run_job"
CONFORMANCE = HERE / "conformance"


class GoClientTest(ClientTestCase):

    def test_go_makes_all_checks(self):
        self.assert_makes_all_checks(
            [CONFORMANCE, self.proxy.address, *checks()])

    def test_the_example_runs_a_command(self):
        self.assert_runs_a_command([RUN_JOB])

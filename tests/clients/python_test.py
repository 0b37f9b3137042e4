"""Proves that a Python service can do all that a client has to, with blocking
calls and with grpc.aio: checks.txt, on a real coordinator.
"""
from client_case import HERE, ClientTestCase, checks

PYTHON = "/usr/bin/python3"


class PythonClientTest(ClientTestCase):

    def test_blocking_calls_make_all_checks(self):
        self.assert_makes_all_checks(
            [PYTHON, HERE / "python/conformance.py", self.proxy.address,
             *checks()])

    def test_grpc_aio_makes_all_checks(self):
        self.assert_makes_all_checks(
            [PYTHON, HERE / "python/conformance_async.py", self.proxy.address,
             *checks()])

    def test_the_examples_run_a_command(self):
        for example in ("run_job.py", "run_job_async.py"):
            self.assert_runs_a_command([PYTHON, HERE / "python" / example])

"""ClientTestCase: one client, in whatever language, makes the checks of
checks.txt against a real coordinator behind a proxy. README.md says how they
talk.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import threading
import unittest

import npm_packages
from cluster import Cluster, wait_until
from proxy import Proxy

HERE = pathlib.Path("tests/clients").absolute()
PROTO = pathlib.Path("proto").absolute()

# For all the checks of one client, which take ten seconds.
CLIENT_PATIENCE = 120.0

CATALOG = """task_types {
    name: "task"
    argv: "/bin/sh" argv: "{catalog_dir}/task.sh" argv: "{catalog_dir}/gates"
    allow_arguments: true
}"""


def checks(without=""):
    """The names in checks.txt, but those whose text begins with `without`."""
    lines = (HERE / "checks.txt").read_text(encoding="utf-8").splitlines()
    parts = [line.split(None, 1) for line in lines
             if line and line[0] not in " #"]
    return [name for name, text in parts
            if not without or not text.startswith(without)]


def generate(directory, *options, path):
    """Runs protoc over the whole API; options say for which language.

    `path` is a PATH that has what its plugins run by.
    """
    directory.mkdir(parents=True)
    protos = sorted(path.relative_to(PROTO)
                    for path in PROTO.glob("vigil/v1/*.proto"))
    subprocess.run(["/usr/bin/protoc", f"-I{PROTO}", *options, *protos],
                   cwd=directory, env={**os.environ, "PATH": path},
                   check=True, timeout=CLIENT_PATIENCE)


def stage(name, directory):
    """A copy of a client in JavaScript, with node_modules beside it.

    Node.js looks for packages from where a program's file really is. Returns
    the new directory.
    """
    staged = directory / name
    staged.mkdir()
    for source in (HERE / name).glob("*.mjs"):
        shutil.copyfile(source, staged / source.name)
    (staged / "node_modules").symlink_to(npm_packages.root() / "node_modules")
    return staged


class ClientTestCase(unittest.TestCase):
    """A coordinator with a worker that survives it, and a proxy before it."""

    def setUp(self):
        # First of all: a coordinator may have to know its address.
        self.proxy = Proxy(self.connect)
        self.addCleanup(self.proxy.__exit__)
        self.proxy.__enter__()
        self.cluster = Cluster(local_slots=0, catalog=CATALOG, flags=[
            "--live_jobs_max=8", *self.flags()])
        self.addCleanup(self.cluster.stop)
        self.gates = self.cluster.dir / "gates"
        self.gates.mkdir()
        shutil.copyfile(HERE / "task.sh", self.cluster.dir / "task.sh")
        self.cluster.start()
        self.cluster.start_worker("worker", slots=2, flags=[
            f"--catalog={self.cluster.dir}/catalog.textproto"])
        wait_until(lambda: self.cluster.get_status().slots_total == 2,
                   "the worker attaches")

    def flags(self):
        """More flags for the coordinator."""
        return []

    def connect(self):
        """A connection to the coordinator."""
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.cluster.address.removeprefix("unix:"))
        except OSError:
            server.close()
            raise
        return server

    def do(self, gate):
        """What a client asks for by `do GATE`."""
        if gate == "cut":
            self.assertGreater(self.proxy.cut(), 0, "nothing to cut")
        elif gate == "restart":
            self.cluster.kill()
            self.cluster.start()
        else:
            self.assertEqual(gate, "open")
        (self.gates / gate).touch()

    def assert_makes_all_checks(self, command, env=None, names=None):
        """Runs a client; `command` has its program and arguments."""
        said = []
        with subprocess.Popen(
                list(map(str, command)), env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                text=True) as client:
            timer = threading.Timer(CLIENT_PATIENCE, client.kill)
            timer.start()
            try:
                for line in client.stdout:
                    said.append(line.rstrip("\n"))
                    print(said[-1], flush=True)
                    if said[-1].startswith("do "):
                        self.do(said[-1].removeprefix("do "))
            finally:
                timer.cancel()
                client.kill()
        told = [line for line in said if not line.startswith("do ")]
        self.assertEqual(
            told, [f"ok {name}" for name in names or checks()],
            "\n".join([*said, self.cluster.log()]))
        self.assertEqual(client.returncode, 0)
        self.assertEqual([line for line in said if line.startswith("do ")],
                         ["do open", "do cut", "do restart"])

    def assert_runs_a_command(self, command, env=None):
        """Runs `run_job` on the coordinator's own socket, as README does."""
        ended = subprocess.run(
            [*map(str, command), self.cluster.address, "echo", "hello"],
            env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=CLIENT_PATIENCE,
            check=False)
        self.assertEqual(ended.stdout.split(), ["hello", "STATE_SUCCEEDED"],
                         ended.stderr)
        self.assertEqual(ended.returncode, 0)

"""What the tests of overload share: the streams of watchers.cc, the memory of
processes, and somebody who asks the coordinator how it is all the while.
"""
import collections
import os
import pathlib
import subprocess
import threading

import grpc
from cluster import PATIENCE, Cluster, wait_until
from vigil.v1 import status_service_pb2, status_service_pb2_grpc

MIB = 1 << 20
WATCHERS = os.path.abspath("tests/load/watchers")
# No promise of speed: what takes longer does not answer.
ANSWER_MAX = 20.0  # seconds

Tally = collections.namedtuple(
    "Tally", "ended cancelled failed output gaps results torn error")


def resident_mib(pid):
    """The resident set of a process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


class LoadedCluster(Cluster):
    """A coordinator without slots of its own: work begins with add_slots()."""

    def __init__(self, **options):
        self.watchers = []
        super().__init__(local_slots=0, **options)

    def stop(self):
        """As Cluster's; ends streams that a failed test has left."""
        for watchers in self.watchers:
            if watchers.poll() is None:
                watchers.kill()
            watchers.communicate()
        super().stop()

    def add_slots(self, slots):
        """Starts a worker and waits for it."""
        worker = self.start_worker(f"w{len(self.workers)}", slots)
        before = self.get_status().slots_total
        wait_until(lambda: self.get_status().slots_total >= before + slots,
                   "the worker attaches")
        return worker

    def open_watchers(self, lines):
        """Streams as watchers.cc describes them; returns when all are open."""
        path = self.dir / f"watchers{len(list(self.dir.glob('watchers*')))}"
        path.write_text("".join(f"{line}\n" for line in lines))
        process = subprocess.Popen(
            [WATCHERS, self.address, path], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.watchers.append(process)
        answer = process.stdout.readline()
        if not answer.startswith("open "):
            raise AssertionError(answer)
        return process

    @staticmethod
    def read_all(watchers):
        """Has all streams read to their end; returns a Tally for each line."""
        out, _ = watchers.communicate("read\n", timeout=2 * PATIENCE)
        tallies = []
        for line in out.splitlines():
            *counts, error = line.split(" ", 7)
            tallies.append(Tally(*map(int, counts), error))
        return tallies

    def resident_mib(self):
        """The resident set of the coordinator."""
        return resident_mib(self.coordinator.pid)


class Inquirer:
    """Asks for status and health, over and over, within `with`.

    Raises at its end what went wrong: an answer that did not come, or that the
    coordinator does not serve.
    """

    def __init__(self, cluster):
        self.channel = grpc.insecure_channel(cluster.address)
        self.status = status_service_pb2_grpc.StatusServiceStub(self.channel)
        # No stubs of grpc.health.v1 are packaged: an empty request is the whole
        # server's, and the answer is field 1, 1 for SERVING.
        self.health = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        self.answers = 0
        self.peak_mib = 0
        self.cluster = cluster
        self.ending = threading.Event()
        self.error = None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        """The thread's."""
        try:
            while not self.ending.wait(0.05):
                self.status.GetStatus(status_service_pb2.GetStatusRequest(),
                                      timeout=ANSWER_MAX)
                health = self.health(b"", timeout=ANSWER_MAX)
                if health != b"\x08\x01":
                    raise AssertionError(f"health: {health}")
                self.answers += 1
                self.peak_mib = max(self.peak_mib, self.cluster.resident_mib())
        except (grpc.RpcError, AssertionError) as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.ending.set()
        self.thread.join()
        self.channel.close()
        if kind is None and (self.error or not self.answers):
            raise AssertionError(f"after {self.answers} answers: {self.error}")

"""A cluster of which each program has a host of its own, and may die there.

The coordinator and each worker run in a network namespace and talk over TCP;
the client beside them uses the coordinator's unix socket, which namespaces do
not part. Whoever was killed starts again on its directory when its time comes.
"""
import os
import signal
import subprocess
import time

import grpc
import network
import processes
from cluster import COORDINATOR, WORKER, Cluster
from vigil.v1 import (
    job_service_pb2_grpc,
    status_service_pb2,
    status_service_pb2_grpc,
    worker_service_pb2_grpc,
)

PORT = 7007
CALL_MAX = 10.0  # seconds
SLOTS = 3  # of each worker
C = "c"  # the coordinator's host
# Seconds; the margin is longer than a worker takes, after its lease, to kill a
# slot that does not obey (1 s).
LEASE, MARGIN, HEARTBEAT = 3.0, 2.0, 0.3
# A program that ended by itself, for want of a disk say, is started again, as
# whoever keeps it running would do.
ENDED_PAUSE = 0.5


class Host:
    """One program of the cluster: what it is, and how it is now."""

    def __init__(self, name):
        self.name = name
        self.process = None
        self.started_at = 0.0
        # When to start it; None: it runs.
        self.start_at = 0.0
        # Why it must not be hurt further: the faults in force.
        self.faults = set()
        # Since when it runs and nothing holds it up.
        self.calm_since = None

    @property
    def pid(self):
        """Its pid; 0 when it does not run."""
        return self.process.pid if self.process is not None else 0


class Hosts(Cluster):
    """The cluster. Loop thread only, apart from stubs and the fixture's
    methods that only call."""

    def __init__(self, net, disk, workers):
        """The network and the disk are made already."""
        os.environ["E2E_TMP"] = str(disk.base)
        super().__init__(local_slots=0, flags=[
            f"--listen=unix:{disk.base}/s,{net.addresses[C]}:{PORT}",
            "--insecure", f"--data_dir={disk.path}", f"--lease={LEASE}s",
            f"--lease_margin={MARGIN}s", f"--heartbeat_interval={HEARTBEAT}s"])
        self.address = f"unix:{disk.base}/s"
        self.net = net
        self.hosts = {name: Host(name) for name in (C, *workers)}
        # Of each program that ended unasked: host, exit status, time.
        self.ended = []
        # When each worker was killed or cut off, by worker id.
        self.hurt = []

    def start(self):
        """Starts all, and opens the client's channel."""
        for host in self.hosts.values():
            self.start_host(host)
        self.channel = grpc.insecure_channel(self.address, options=[
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500)])
        self.jobs = job_service_pb2_grpc.JobServiceStub(self.channel)
        self.status = status_service_pb2_grpc.StatusServiceStub(self.channel)
        self.worker_service = worker_service_pb2_grpc.WorkerServiceStub(
            self.channel)

    @property
    def worker_hosts(self):
        """All but the coordinator's."""
        return [host for host in self.hosts.values() if host.name != C]

    def program(self, host):
        """The command line of a host's program."""
        if host.name == C:
            return [COORDINATOR, *self.flags]
        return [WORKER, f"--coordinator={self.net.addresses[C]}:{PORT}",
                "--insecure", f"--data_dir={self.dir}/{host.name}",
                f"--slots={SLOTS}", "--allow_commands=true",
                f"--catalog={self.dir}/catalog.textproto"]

    def start_host(self, host):
        """Starts a program in its namespace, and does not wait for it."""
        with open(self.dir / f"log.{host.name}", "ab") as log:
            host.process = subprocess.Popen(
                [*network.enter(self.net.namespace(host.name)),
                 *self.program(host)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        host.started_at = time.monotonic()
        host.start_at = None
        if host.name == C:
            self.coordinator = host.process
        else:
            self.workers.append(host.process)

    def kill_host(self, host, pause):
        """kill -9; it starts again after so many seconds."""
        processes.kill(processes.read_process(host.pid).key)
        host.process.wait()
        self.forget(host, pause)

    def forget(self, host, pause):
        if host.process in self.workers:
            self.workers.remove(host.process)
        host.process = None
        host.start_at = time.monotonic() + pause

    def worker_id(self, host):
        """The worker's name for itself."""
        path = self.dir / host.name / "worker_id"
        return path.read_text().strip() if path.exists() else ""

    # --- one turn
    def tick(self):
        """Reaps as init would, and starts whose time has come."""
        now = time.monotonic()
        children = {host.pid: host.process for host in self.hosts.values()}
        gone = processes.reap(children)
        for host in self.hosts.values():
            if host.process in gone:
                self.ended.append((host.name, host.process.returncode, now))
                self.forget(host, ENDED_PAUSE)
            if host.start_at is not None and now >= host.start_at:
                self.start_host(host)
            if host.process is None or host.faults:
                host.calm_since = None
            elif host.calm_since is None:
                host.calm_since = now

    def signal_tree(self, number):
        """Sends a signal to all programs; for SIGCONT at the end."""
        for host in self.hosts.values():
            if host.process is not None:
                host.process.send_signal(number)

    def attached(self):
        """Whether all workers are connected, with all their slots."""
        try:
            answer = self.get_status()
        except grpc.RpcError:
            return False
        return answer.slots_total >= SLOTS * len(self.worker_hosts)

    def get_status(self):
        """GetStatus; does not wait for ever."""
        return self.status.GetStatus(status_service_pb2.GetStatusRequest(),
                                     timeout=CALL_MAX)

    def stop(self):
        """Ends everything, and sees that nothing is left."""
        self.signal_tree(signal.SIGCONT)
        super().stop()

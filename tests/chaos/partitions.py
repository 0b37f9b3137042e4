"""Kills, stops, cuts off, slows and starves a cluster, and sees all go well.

Usage: partitions.py [--seconds=60] [--seed=S] [--forge]
A coordinator and three workers, each in a network namespace of its own, run
jobs while faults come at random. In the end everything is healed and drained,
the coordinator killed and started once more, and what clients were told is held
against its store: nothing acknowledged is lost, nothing told has changed, no
job ran twice at one time, no process is left over, no outcome comes from
nowhere. Exit status 1, and a line that begins with FAULT for each, if that is
not so. Needs root; where it may not make namespaces it says SKIPPED, status 0.
"""
import argparse
import collections
import os
import random
import shutil
import signal
import sys
import time

import disk as disks
import grpc
import network
import processes
import recovery
import verdict
from adversary import Adversary
from client import Client, Journal
from cluster import FINAL, STDOUT
from forgery import Forgery
from forgery import KINDS as FORGED
from hosts import C, Hosts
from load import Load, live_jobs
from strays import Strays
from vigil.v1 import job_service_pb2

WORKERS = ("w1", "w2", "w3")
OPEN_MAX = 60  # jobs that have not ended, for 9 slots
TICK = 0.02  # seconds
SCAN_INTERVAL = 0.3  # seconds between two looks at all processes
DRAIN_MAX = 100.0
SETTLE = 4.0  # seconds after the drain, in which strays must go
OUTPUT_MAX = 2**20  # bytes; no job writes as many

# As in load.py, but most last as long as a lease: those are what may run twice.
KINDS = {
    "short": (5, 0.01, 0.1),
    "holder": (2, 0.5, 5.0),
    "family": (2, 0.5, 5.0),
    "warm": (2, 0.1, 3.0),
    "swift": (1, 0.0, 0.02),
}


class Harness:
    """The cluster, who hurts it, and what is seen. Loop thread only."""

    def __init__(self, hosts, adversary, journal):
        self.hosts = hosts
        self.adversary = adversary
        self.journal = journal
        self.strays = Strays(hosts, os.getpid(), str(adversary.disk.base))
        self.next_scan = 0.0
        # Kind and text of what must not be.
        self.faults = []

    def fault(self, kind, text):
        """Notes and prints what must not be."""
        self.faults.append(kind)
        print(f"FAULT: {kind}: {text}", flush=True)

    def tick(self):
        """One turn, without hurting anybody."""
        time.sleep(TICK)
        self.hosts.tick()
        if time.monotonic() >= self.next_scan:
            self.strays.scan()
            self.next_scan = time.monotonic() + SCAN_INTERVAL
        for host, status, _ in self.hosts.ended:
            # Without room it may not be able to start; with it, it must.
            if host == C and self.adversary.was_full():
                self.adversary.counts["ended for want of room"] += 1
            else:
                self.fault("ended", f"{host} ended by itself: {status}")
        self.hosts.ended.clear()

    def storm(self, seconds):
        """Hurts for so many seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tick()
            self.adversary.tick()

    def wait(self, condition, seconds):
        """Turns until a condition holds; returns whether it did in time."""
        end = time.monotonic() + seconds
        while not condition():
            self.tick()
            if time.monotonic() > end:
                return False
        return True

    def drain(self):
        """Heals all, and waits until every job has ended and is told so."""
        self.adversary.heal(None)
        if not self.wait(lambda: all(host.process is not None for host in
                                     self.hosts.hosts.values())
                         and self.hosts.attached(), DRAIN_MAX):
            self.fault("drain", "not all workers are attached")
        if not self.wait(self.idle, DRAIN_MAX):
            self.fault("drain", "not all jobs have ended; the client was told "
                       f"no end of {self.journal.open_jobs()}")

    def idle(self):
        """Whether all jobs have ended, and the client knows it."""
        try:
            return not self.journal.open_jobs() and live_jobs(self.hosts) == 0
        except grpc.RpcError:
            return False

    def restart(self):
        """Kills the idle coordinator, so that all is read from its store."""
        self.hosts.kill_host(self.hosts.hosts[C], 0)
        if not self.wait(lambda: self.hosts.hosts[C].process is not None
                         and self.hosts.attached(), DRAIN_MAX):
            self.fault("drain", "not all are attached to the new coordinator")

    def stored(self):
        """Each job in the store, with what its last attempt wrote."""
        found = {}
        for listed in self.hosts.list_jobs():
            job = self.hosts.get(listed.job_id)
            stdout = b""
            if job.state in FINAL and job.attempts:
                answer = self.hosts.jobs.ReadOutput(
                    job_service_pb2.ReadOutputRequest(
                        job_id=job.job_id, stream=STDOUT,
                        size_bytes_max=OUTPUT_MAX))
                stdout = b"".join(piece.data for piece in answer.output)
            found[job.job_id] = verdict.Stored(job, stdout)
        return found

    def judge(self, notes, stored):
        """Notes all faults that records and notes show."""
        for kind, text in verdict.judge(self.journal, notes, stored):
            self.fault(kind, text)

    def judge_strays(self):
        """Notes all processes and zombies that stayed."""
        for kind, text in self.strays.faults:
            self.fault(kind, text)
        self.strays.faults.clear()


def leftovers():
    """What is still below this process, when nothing should be."""
    return [f"{processes.describe(process.key)}, "
            f"{processes.whereabouts(process)}"
            for process in processes.Table().under(os.getpid())]


def report(harness, stored, seconds, seed):
    """Prints the summary."""
    counts = harness.adversary.counts
    print(f"\n{sum(counts.values())} faults in {seconds:.0f} s, seed {seed}")
    for text, count in sorted(counts.items()):
        print(f"  {text:<28} {count:>5}")
    recovery.report(harness.hosts.hurt,
                    [entry.job for entry in stored.values()])
    journal = harness.journal
    print(f"{len(journal.acknowledged)} jobs acknowledged, "
          f"{len(journal.told)} final states told, "
          f"{journal.counts['calls that failed']} calls without an answer, "
          f"{harness.adversary.disk.used_mib():.0f} MiB stored")
    kinds = collections.Counter(harness.faults)
    print(f"lost {kinds['lost'] + kinds['told']}, twice {kinds['twice']}, "
          f"orphans {kinds['orphan']}, zombies {kinds['zombie']}, "
          f"phantoms {kinds['phantom']}, faults {len(harness.faults)}",
          flush=True)


def parse():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60,
                        help="how long faults come (60)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6),
                        help="of all choices (random); the times are not in it")
    parser.add_argument("--forge", action="store_true",
                        help="put one fault of each kind in; exit status 0 "
                        "if exactly those are found")
    parser.add_argument("--logs",
                        default=os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR"),
                        help="a directory to copy logs and notes to (none)")
    return parser.parse_args()


def run(options, net, disk):
    """The whole, on a network and a disk that are there."""
    hosts = Hosts(net, disk, WORKERS)
    load = Load(hosts.dir, random.Random(f"{options.seed}/load"), KINDS)
    (hosts.dir / "catalog.textproto").write_text(load.catalog())
    journal = Journal()
    adversary = Adversary(hosts, net, disk, random.Random(options.seed))
    harness = Harness(hosts, adversary, journal)
    with hosts:
        if not harness.wait(hosts.attached, DRAIN_MAX):
            raise AssertionError("never began:\n" + hosts.log())
        print(f"{len(WORKERS)} workers are attached", flush=True)
        begin = time.monotonic()
        with Client(hosts, load, journal, options.seed, OPEN_MAX) as client:
            harness.storm(options.seconds)
            seconds = time.monotonic() - begin
            client.closing.set()
            harness.drain()
        harness.restart()
        stored = look(harness, load, options.forge)
        if options.logs:
            shutil.copytree(hosts.dir, options.logs, dirs_exist_ok=True,
                            ignore=lambda _, names: [
                                name for name in names
                                if not name.startswith(("log", "journal"))])
    processes.reap({})
    for leftover in leftovers():
        harness.fault("orphan", f"left over in the end: {leftover}")
    report(harness, stored, seconds, options.seed)
    if options.forge:
        return 0 if set(harness.faults) == FORGED else 1
    return 1 if harness.faults else 0


def look(harness, load, forge):
    """Judges what is there in the end; returns what is stored."""
    forgery = Forgery(harness.hosts, load)
    try:
        if forge:
            forgery.start_strays()
        harness.wait(lambda: False, SETTLE)
        notes, stored = load.read_journal(), harness.stored()
        if forge:
            forgery.forge(harness.journal, notes, stored)
        harness.judge(notes, stored)
        harness.judge_strays()
        return stored
    finally:
        forgery.end_strays()


def main():
    """Returns the exit status."""
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"seed {options.seed}", flush=True)
    processes.become_subreaper()
    parent = os.environ.get("E2E_TMP", "/tmp")
    net, disk = network.Network(), disks.Disk(parent)
    try:
        try:
            network.remove_leftovers()
            disks.remove_leftovers(parent)
            net.make((C, *WORKERS))
            disk.make()
        except network.Refused as refusal:
            print(f"SKIPPED: no hosts of its own here: {refusal}")
            return 0
        return run(options, net, disk)
    finally:
        net.remove()
        disk.remove()


if __name__ == "__main__":
    sys.exit(main())

"""Benchmarks of the command line: how soon it starts, and how soon it shows the
first of many jobs.
"""
import os
import subprocess
import sys
import time

from cluster import COORDINATOR, VIGIL, Cluster
from submissions import submit
from table import row
from vigil.v1 import job_service_pb2

STARTS = 200
JOBS = 10_000
LISTS = 50


def run_time(argv):
    """Milliseconds from the start of a program to its end."""
    quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0)
             for fd in (0, 1, 2)]
    begin = time.monotonic()
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=quiet)
    os.waitpid(pid, 0)
    return (time.monotonic() - begin) * 1e3


def starts():
    """`vigil --help`, taking turns with others of its kind.

    The coordinator is linked with the same gRPC, and more.
    """
    programs = {
        "vigil --help": [VIGIL, "--help"],
        "coordinator --help": [COORDINATOR, "--help"],
        "/bin/true": ["/bin/true"],
    }
    times = {what: [] for what in programs}
    for _ in range(STARTS):
        for what, argv in programs.items():
            times[what].append(run_time(argv))
    for what, values in times.items():
        row(f"cli: {what}", values, "ms", 2)


def list_times(cluster, *flags):
    """Milliseconds to the first of `vigil job list`, and to its end; lines."""
    begin = time.monotonic()
    with subprocess.Popen(
            [VIGIL, "job", "list", f"--address={cluster.address}", *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as program:
        text = b""
        # The header, and a row.
        while text.count(b"\n") < 2:
            piece = os.read(program.stdout.fileno(), 65536)
            if not piece:
                sys.exit(f"bench: no rows of vigil job list: {text!r}")
            text += piece
        first = time.monotonic() - begin
        text += program.stdout.read()
    if program.returncode != 0:
        sys.exit(f"bench: vigil job list ended with {program.returncode}")
    whole = time.monotonic() - begin
    return first * 1e3, whole * 1e3, text.count(b"\n") - 1


def bare_list(cluster):
    """Milliseconds of the first page, through a channel that is open."""
    begin = time.monotonic()
    answer = cluster.jobs.ListJobs(job_service_pb2.ListJobsRequest())
    if not answer.jobs:
        raise AssertionError("no jobs")
    return (time.monotonic() - begin) * 1e3


def lists():
    """`vigil job list` of 10,000 jobs, taking turns with a bare ListJobs."""
    first, whole, bare = [], [], []
    with Cluster(local_slots=0) as cluster:
        submit(cluster, JOBS)
        for _ in range(LISTS):
            bare.append(bare_list(cluster))
            to_first, to_end, lines = list_times(cluster, "--all")
            if lines != JOBS:
                raise AssertionError(f"{lines} rows")
            first.append(to_first)
            whole.append(to_end)
    row("cli: bare ListJobs of 10,000, the first page", bare, "ms", 2)
    row("cli: vigil job list of 10,000, exec to first rows", first, "ms", 2)
    row("cli: the same with --all, exec to end", whole, "ms", 1)


def cli():
    """Both."""
    starts()
    lists()


KNOWN = {"cli": cli}

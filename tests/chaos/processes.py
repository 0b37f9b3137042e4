"""Processes as /proc shows them: a table, trees, and kills by pidfd.

A process is known by its pid and its start together: a pid may be given to
another, its start not.
"""
import ctypes
import os
import pathlib
import signal
from typing import NamedTuple

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
CMDLINE_MAX = 160  # characters of a command line in a report


class Key(NamedTuple):
    """One process for good; the start is in clock ticks since boot."""

    pid: int
    start: int


class Process(NamedTuple):
    """A line of the table."""

    key: Key
    parent: int
    state: str
    name: str

    @property
    def dead(self):
        """Whether it is a zombie."""
        return self.state in "ZX"


def become_subreaper():
    """Whatever loses its parents below this process becomes its child."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def read_process(pid):
    """The process that has this pid now, or None."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            line = stat.read().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    name, fields = line.split("(", 1)[1].rsplit(")", 1)
    fields = fields.split()
    return Process(Key(pid, int(fields[19])), int(fields[1]), fields[0], name)


def find(key):
    """The process of this key, also when it is a zombie; None: it is gone."""
    process = read_process(key.pid)
    return process if process is not None and process.key == key else None


def describe(key):
    """Pid and command line with the last part of each path, for reports."""
    try:
        line = pathlib.Path(f"/proc/{key.pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        line = b""
    words = line.decode(errors="replace").split("\0")
    text = " ".join(word.rsplit("/", 1)[-1] for word in words).strip()
    return f"pid {key.pid} [{text[:CMDLINE_MAX]}]"


def whereabouts(process):
    """Its name, its state and its parent, for reports."""
    parent = read_process(process.parent)
    return (f"{process.name}, state {process.state}, under pid "
            f"{process.parent} "
            f"({parent.name if parent else 'gone'})")


def kill(key, number=signal.SIGKILL):
    """Signals this process and no other; returns whether it was there."""
    try:
        fd = os.pidfd_open(key.pid)
    except ProcessLookupError:
        return False
    try:
        # The pid is the descriptor's now; whose it was is seen by the start.
        process = find(key)
        if process is None or process.dead:
            return False
        signal.pidfd_send_signal(fd, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)
    return True


def reap(children):
    """Reaps what ended: own children, given by pid, and what fell to this
    process as it would have fallen to init. Returns the own ones."""
    gone = []
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0,
                              os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return gone
        if ended is None:
            return gone
        child = children.get(ended.si_pid)
        if child is None:
            os.waitpid(ended.si_pid, 0)
            continue
        child.poll()
        gone.append(child)


class Table:
    """All processes at one moment, as good as /proc can tell."""

    def __init__(self):
        self.processes = {}
        self.children = {}
        for entry in os.listdir("/proc"):
            process = read_process(int(entry)) if entry.isdigit() else None
            if process is not None:
                self.processes[process.key.pid] = process
                self.children.setdefault(process.parent, []).append(process)

    def children_of(self, pid):
        """Children that are no zombies, the oldest first."""
        return sorted((child for child in self.children.get(pid, ())
                       if not child.dead),
                      key=lambda child: (child.key.start, child.key.pid))

    def under(self, pid):
        """All descendants of a process, zombies too."""
        found, todo = [], [pid]
        while todo:
            for child in self.children.get(todo.pop(), ()):
                found.append(child)
                todo.append(child.key.pid)
        return found


class Marks:
    """Who has a cluster's mark in its environment or command line."""

    def __init__(self, mark):
        self.mark = mark.encode()
        self.known = {}

    def bearers(self, table):
        """The processes of a table that bear it."""
        known = {}
        for process in table.processes.values():
            marked = self.known.get(process.key)
            known[process.key] = (
                self.reads(process.key.pid) if marked is None else marked)
        self.known = known
        return [process for process in table.processes.values()
                if known[process.key]]

    def reads(self, pid):
        """Whether a process bears it; what may not be read does not."""
        try:
            text = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            text += pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False
        return self.mark in text

"""Hosts that can be cut off from each other: network namespaces on one bridge.

Each host is a network namespace with one interface, joined to the bridge of a
namespace of its own, the hub; nothing is added to this machine's network. All
names carry the pid of the process that made them, so that those of a dead one
can be told and removed. Needs root, and iproute2, iptables and util-linux.
"""
import os
import pathlib
import re
import signal
import subprocess
import time

PREFIX = "vigil-chaos"
NAMES = pathlib.Path("/run/netns")
PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
TOOL_MAX = 30.0  # seconds that one of the tools may take
LEFTOVERS_MAX = 10.0  # seconds until killed processes of a namespace are gone
SUBNET = "10.97.0."  # nobody but these namespaces sees it
HUB, BRIDGE, INTERFACE = "hub", "hub0", "eth0"

IN, OUT = "INPUT", "OUTPUT"  # iptables' words for the two directions


class Refused(Exception):
    """This machine does not let us do that."""


def tool(*words):
    """Runs a system tool; raises Refused when it is missing or fails."""
    try:
        done = subprocess.run(
            list(map(str, words)), env={"PATH": PATH, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=TOOL_MAX)
    except OSError as error:
        raise Refused(f"{words[0]}: {error.strerror}") from error
    if done.returncode != 0:
        text = done.stderr.decode(errors="replace").strip().splitlines()
        raise Refused(f"`{' '.join(map(str, words))}`: "
                      f"{text[-1] if text else f'status {done.returncode}'}")
    return done.stdout.decode()


def enter(namespace):
    """The words before a program that is to run in a namespace."""
    return ["/usr/bin/nsenter", f"--net={NAMES / namespace}", "--"]


class Network:
    """The hub and its hosts. Loop thread only."""

    def __init__(self):
        self.addresses = {}
        self.made = []
        # Who is cut off in which directions, who is slowed.
        self.cuts = {}
        self.slow_ones = set()

    def namespace(self, host):
        """The namespace's name."""
        return f"{PREFIX}-{os.getpid()}-{host}"

    def make(self, hosts):
        """Makes the hub and these hosts, and tries all that is done to them
        later; raises Refused."""
        if os.geteuid() != 0:
            raise Refused("network namespaces need root")
        self.add_namespace(HUB)
        hub = self.namespace(HUB)
        tool("ip", "-n", hub, "link", "add", BRIDGE, "type", "bridge")
        tool("ip", "-n", hub, "link", "set", BRIDGE, "up")
        for number, host in enumerate(hosts, 1):
            self.add_host(host, f"{SUBNET}{number}")
        for host in hosts:
            self.cut(host, (IN, OUT))
            self.join(host)
            self.slow(host, 1000)
            self.quicken(host)

    def add_namespace(self, host):
        name = self.namespace(host)
        tool("ip", "netns", "add", name)
        self.made.append(name)
        tool("ip", "-n", name, "link", "set", "lo", "up")

    def add_host(self, host, address):
        hub, name = self.namespace(HUB), self.namespace(host)
        self.add_namespace(host)
        tool("ip", "-n", hub, "link", "add", f"to-{host}", "type", "veth",
             "peer", "name", INTERFACE, "netns", name)
        tool("ip", "-n", hub, "link", "set", f"to-{host}", "up", "master",
             BRIDGE)
        tool("ip", "-n", name, "addr", "add", f"{address}/24", "dev",
             INTERFACE)
        tool("ip", "-n", name, "link", "set", INTERFACE, "up")
        self.addresses[host] = address

    def remove(self):
        """Removes all that this one made; what was refused is left."""
        while self.made:
            remove_namespace(self.made.pop())

    # --- links
    def cut(self, host, directions):
        """Drops all that comes in or goes out."""
        for direction in directions:
            side = "-i" if direction == IN else "-o"
            tool(*enter(self.namespace(host)), "iptables", "-w", "-A",
                 direction, side, INTERFACE, "-j", "DROP")
        self.cuts[host] = directions

    def join(self, host):
        """Takes that back."""
        tool(*enter(self.namespace(host)), "iptables", "-w", "-F")
        self.cuts.pop(host, None)

    def slow(self, host, kbit):
        """Bounds what a host sends and what it is sent, to kbit/s each."""
        for name, interface in self.ends(host):
            tool("tc", "-n", name, "qdisc", "add", "dev", interface, "root",
                 "tbf", "rate", f"{kbit}kbit", "burst", "4kb", "latency",
                 "500ms")
        self.slow_ones.add(host)

    def quicken(self, host):
        """Takes that back."""
        for name, interface in self.ends(host):
            tool("tc", "-n", name, "qdisc", "del", "dev", interface, "root")
        self.slow_ones.discard(host)

    def ends(self, host):
        return ((self.namespace(host), INTERFACE),
                (self.namespace(HUB), f"to-{host}"))


def remove_namespace(name):
    """Ends what still runs in a namespace, and removes it."""
    end = time.monotonic() + LEFTOVERS_MAX
    while time.monotonic() < end:
        pids = tool("ip", "netns", "pids", name).split()
        if not pids:
            break
        for pid in map(int, pids):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
    tool("ip", "netns", "del", name)


def owner_is_dead(name):
    """Whether it is a name of ours that carries the pid of a dead process."""
    match = re.match(rf"{PREFIX}-(\d+)(-|$)", name)
    return match is not None and not os.path.exists(f"/proc/{match[1]}")


def remove_leftovers():
    """Removes namespaces whose makers were killed."""
    if NAMES.is_dir():
        for path in sorted(NAMES.iterdir()):
            if owner_is_dead(path.name):
                remove_namespace(path.name)

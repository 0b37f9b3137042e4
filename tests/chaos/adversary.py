"""Hurts a cluster: kills, stops, cuts and slows links, fills the disk.

What is done, to whom and for how long comes from a seed. What Vigil does not
promise is left alone: of a worker and its slots, which supervise each other,
one is held up at a time; they are killed together only if the worker starts
again within its lease.
"""
import collections
import signal
import time

import processes
from hosts import LEASE, MARGIN, C
from network import IN, OUT
from watch import slots_of

PAUSE_MAX = 1.3  # seconds between two faults
SHORT = (0.1, 1.5)  # seconds: shorter than the lease
LONG = (LEASE + MARGIN, LEASE + MARGIN + 3)
DEAD = (0.0, 2.0)  # until a killed program starts again
DEAD_LONG = (LEASE, LEASE + MARGIN + 2)  # one time of three
SUCCESSOR = (0.0, 0.5)  # when its slot was killed too
SLOW_KBIT = (16, 200)
FULL_ECHO = 1.0  # seconds in which a program may still end for want of room
SETTLED_MIN = 1.0  # seconds that a program runs before it is hurt (again)

KILL, STOP, CUT, SLOW, FILL = "kill", "stop", "cut", "slow", "fill"
COORDINATOR, WORKER, SLOT, TASK, BOTH, LINK, DISK = (
    "coordinator", "worker", "slot", "task", "worker and slot", "link", "disk")
# How often each is drawn, where it can be.
WEIGHTS = {
    (KILL, COORDINATOR): 2, (KILL, WORKER): 4, (KILL, SLOT): 5,
    (KILL, TASK): 5, (KILL, BOTH): 2,
    (STOP, COORDINATOR): 2, (STOP, WORKER): 4, (STOP, SLOT): 4,
    (STOP, TASK): 4,
    (CUT, LINK): 6, (SLOW, LINK): 4, (FILL, DISK): 2,
}


class Adversary:
    """Who hurts, and takes it back in time. Loop thread only."""

    def __init__(self, hosts, net, disk, draw):
        self.hosts = hosts
        self.net = net
        self.disk = disk
        self.draw = draw
        self.counts = collections.Counter()
        # Faults to take back: when, how.
        self.heals = []
        self.next_at = 0.0
        self.full = False
        self.full_at = -FULL_ECHO

    def tick(self):
        """Takes back what is due, and hurts if it is time."""
        self.heal(time.monotonic())
        if time.monotonic() >= self.next_at:
            self.next_at = time.monotonic() + self.draw.uniform(0, PAUSE_MAX)
            self.hurt()

    def heal(self, now):
        """Takes back what was to last until now; all if now is None."""
        due = [heal for heal in self.heals if now is None or heal[0] <= now]
        self.heals = [heal for heal in self.heals if heal not in due]
        for _, take_back in due:
            take_back()

    def later(self, seconds, take_back):
        self.heals.append((time.monotonic() + seconds, take_back))

    def note(self, text, host):
        """Counts a fault, and logs it beside the programs' logs."""
        self.counts[text] += 1
        stamp = time.strftime("%H:%M:%S", time.gmtime())
        with open(self.hosts.dir / "log.faults", "a", encoding="ascii") as log:
            log.write(f"{stamp}.{int(time.time() % 1 * 1000):03} "
                      f"{text}: {host.name}\n")
        if host.name != C:
            self.hosts.hurt.append(
                (self.hosts.worker_id(host), text, time.time()))

    # --- drawing
    def hurt(self):
        """Draws a fault and a host, and does it if it can be done there."""
        kind, target = self.draw.choices(
            list(WEIGHTS), list(WEIGHTS.values()))[0]
        if target == COORDINATOR:
            host = self.hosts.hosts[C]
        elif target == LINK:
            # Rarely the coordinator's, which cuts off all of them.
            host = self.draw.choice(
                2 * self.hosts.worker_hosts + [self.hosts.hosts[C]])
        else:
            host = self.draw.choice(self.hosts.worker_hosts)
        if target == LINK:
            self.hurt_link(kind, host)
        elif target == DISK:
            self.fill_disk()
        elif (host.process is not None and not host.faults
              and time.monotonic() - host.started_at > SETTLED_MIN):
            self.hurt_process(kind, target, host)

    def duration(self):
        """How long a fault lasts, and in which class that is."""
        if self.draw.random() < 0.5:
            return self.draw.uniform(*SHORT), "short"
        return self.draw.uniform(*LONG), "long"

    # --- faults
    def hurt_process(self, kind, target, host):
        """Kills or stops a program, or one below it."""
        table = processes.Table()
        slots = [slot for slot in slots_of(table, host.pid)
                 if table.children_of(slot.key.pid)]
        if target in (SLOT, TASK, BOTH) and not slots:
            return
        slot = self.draw.choice(slots) if slots else None
        if target == TASK:
            # A child that its task never waits for would stay a zombie.
            victim = (table.children_of(slot.key.pid)[0] if kind == KILL
                      else self.draw.choice(table.under(slot.key.pid)))
        elif target == SLOT:
            victim = slot
        else:
            victim = table.processes.get(host.pid)
        if victim is None or victim.dead:
            return
        if kind == STOP:
            self.stop_process(target, host, victim.key)
        elif target in (TASK, SLOT):
            if processes.kill(victim.key):
                self.note(f"kill {target}", host)
        else:
            self.kill_program(target, host, slot)

    def kill_program(self, target, host, slot):
        """Kills a host's program, and plans when it starts again."""
        if target == BOTH:
            processes.kill(slot.key)
            pause = self.draw.uniform(*SUCCESSOR)
        elif self.draw.random() < 1 / 3:
            pause = self.draw.uniform(*DEAD_LONG)
        else:
            pause = self.draw.uniform(*DEAD)
        self.note(f"kill {target}", host)
        self.hosts.kill_host(host, pause)

    def stop_process(self, target, host, key):
        """Stops a process for a while."""
        seconds, length = self.duration()
        if not processes.kill(key, signal.SIGSTOP):
            return
        self.note(f"stop {target}, {length}", host)
        fault = (STOP, key)
        host.faults.add(fault)

        def take_back():
            processes.kill(key, signal.SIGCONT)
            host.faults.discard(fault)
        self.later(seconds, take_back)

    def hurt_link(self, kind, host):
        """Cuts a host off, or slows its link down."""
        seconds, length = self.duration()
        if kind == CUT and host.name not in self.net.cuts:
            directions = self.draw.choice([(IN,), (OUT,), (IN, OUT)])
            self.net.cut(host.name, directions)
            ways = "both ways" if len(directions) == 2 else "one way"
            self.note(f"cut {ways}, {length}", host)
            self.later(seconds, lambda: self.net.join(host.name))
        elif kind == SLOW and host.name not in self.net.slow_ones:
            self.net.slow(host.name, self.draw.randint(*SLOW_KBIT))
            self.note("slow link", host)
            self.later(self.draw.uniform(*LONG),
                       lambda: self.net.quicken(host.name))

    def fill_disk(self):
        """Leaves the coordinator no room."""
        if self.full:
            return
        self.full = True
        seconds, _ = self.duration()
        self.disk.fill()
        self.note("full disk", self.hosts.hosts[C])

        def take_back():
            self.disk.free()
            self.full = False
            self.full_at = time.monotonic()
        self.later(seconds, take_back)

    def was_full(self):
        """Whether the disk is full, or was a moment ago."""
        return self.full or time.monotonic() - self.full_at < FULL_ECHO

"""The wall clock is set forward and back under a running coordinator, its
worker and its slots: no deadline moves, no lease ends, nobody is given up.

Only the clock that these programs see is set (wall_clock.c), by more than any
deadline of the test.
"""
import os
import pathlib
import struct
import time
import unittest

from cluster import Cluster, Phase, Reason, State, wait_until

SHIM = os.path.abspath("tests/e2e/libwall_clock.so")
HOUR = 3600 * 10**9
# One by one, from the last: twice forward, back past the start, and home.
OFFSETS = [48 * HOUR, 72 * HOUR, -100 * HOUR, 0]
LEASE = ["--lease=3s", "--heartbeat_interval=500ms", "--lease_margin=1.5s"]


class ClockStepTest(unittest.TestCase):

    def setUp(self):
        self.clock = pathlib.Path(
            os.environ.get("TEST_TMPDIR", "/tmp")) / f"clock{os.getpid()}"
        self.set_clock(0)
        self.addCleanup(self.clock.unlink)

    def set_clock(self, offset):
        """Sets the programs' wall clock to the true one and `offset` ns."""
        # In place: it is mapped.
        with open(self.clock, "r+b" if self.clock.exists() else "wb") as file:
            file.write(struct.pack("<q", offset))

    def cluster(self, *flags):
        """A cluster whose programs see the test's clock."""
        return Cluster(local_slots=3, flags=[*LEASE, *flags], prefix=[
            "/usr/bin/env", f"LD_PRELOAD={SHIM}", f"WALL_CLOCK={self.clock}"])

    def test_the_programs_see_the_clock_that_is_set(self):
        self.set_clock(48 * HOUR)
        with self.cluster() as cluster:
            start = cluster.get_status().start_time.seconds
            self.assertAlmostEqual(start, time.time() + 48 * 3600, delta=600)

    def test_A5_no_step_of_the_wall_clock_moves_a_deadline(self):
        with self.cluster() as cluster:
            gate = cluster.dir / "go"
            running = cluster.submit(cluster.command(
                "/bin/sh", "-c", "echo up; while ! [ -e "
                f"{gate} ]; do sleep 0.02; done", max_processes=2,
                inactivity=3600, start_to_close=3600, schedule_to_close=7200))
            cluster.wait_phase(running, Phase.PHASE_ACTIVE)
            waiting = cluster.submit(cluster.command(
                "/bin/sh", "-c", "exit 75", initial_interval=3000,
                schedule_to_close=7200))
            wait_until(lambda: cluster.get(waiting).state ==
                       State.STATE_BACKOFF, "it waits for its next attempt")
            session = cluster.get_status().workers[0].session_id
            for offset in OFFSETS:
                with self.subTest(offset=offset):
                    self.set_clock(offset)
                    # Clocks go on, at their own pace.
                    job, _, _ = cluster.run(cluster.talker(
                        "out:up", "60", inactivity=0.3, shutdown_grace=0))
                    self.assertEqual(job.failure.reason,
                                     Reason.REASON_INACTIVITY_TIMEOUT)
                    # So do leases: a heartbeat later everything is there.
                    seen = cluster.get_status().workers[0].last_heartbeat_time
                    wait_until(lambda: cluster.get_status().workers[0]
                               .last_heartbeat_time.ToNanoseconds()
                               > seen.ToNanoseconds(), "a heartbeat")
                    job, _, _ = cluster.run(cluster.command(
                        "/bin/sh", "-c", "exit 75", maximum_attempts=3,
                        initial_interval=0.05))
                    self.assertEqual(len(job.attempts), 3)
                    self.assertEqual(cluster.get(running).state,
                                     State.STATE_RUNNING)
                    self.assertEqual(cluster.get(waiting).state,
                                     State.STATE_BACKOFF)
            status = cluster.get_status()
            self.assertEqual((status.attempts_lost,
                              status.local_workers_replaced,
                              status.workers[0].session_id), (0, 0, session))
            gate.touch()
            job = cluster.finish(running)
            self.assertEqual((job.state, len(job.attempts)),
                             (State.STATE_SUCCEEDED, 1))

    def test_a_dead_local_worker_is_replaced_at_once_whatever_the_clock(self):
        with self.cluster() as cluster:
            for offset in OFFSETS:
                pid = cluster.local_worker_pid()
                self.set_clock(offset)
                os.kill(pid, 9)
                wait_until(lambda: any(
                    w.local and w.pid != pid
                    for w in cluster.get_status().workers), "another worker")

    def test_deadlines_outlive_a_restart_with_the_clock_set_back(self):
        with self.cluster() as cluster:
            worker = cluster.get_status().workers[0]
            cluster.set_slots(worker.worker_id, 0)
            job_id = cluster.submit(cluster.command(
                "/bin/true", schedule_to_close=3600))
            created = cluster.get(job_id).create_time.ToNanoseconds()
            cluster.kill()
            self.set_clock(-100 * HOUR)
            cluster.start()
            job = cluster.finish(job_id)
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            self.assertGreaterEqual(job.end_time.ToNanoseconds(), created)


if __name__ == "__main__":
    unittest.main()

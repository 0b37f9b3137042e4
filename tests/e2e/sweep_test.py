"""C6 and S7: what a killed worker and its slot left behind is found and killed
by the worker's next life, and what it ran is then tried again at once, not
after the lease of 30 s; the same by `vigil worker sweep`; and nobody else's
process is ever touched.
"""
import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

from cluster import Cluster, PYTHON, TASKS, alive, wait_until
from loss_case import LossTestCase, parent_of

# The lease is over after 30 s, and 3 s of margin.
WELL_BEFORE_THE_LEASE = 20.0

# A grandchild that left its session and parent, and does not want to die.
STRAY = ('(setsid sh -c \'trap "" TERM HUP INT; '
         'while :; do sleep 1; done\' stray "$@" &) ; exec "$@"')


def start_ticks_of(pid):
    """When a process started, in clock ticks since boot."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rsplit(")", 1)[1].split()[19])


def forge_record(directory, slot, pid, start_ticks):
    """Writes the record of a slot of an earlier life, here and now."""
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    namespace = os.stat("/proc/self/ns/pid").st_ino
    header = f"vigil-slot 2 {boot} {namespace} {pid} {start_ticks}"
    slots = directory / "slots"
    slots.mkdir(parents=True, exist_ok=True)
    (slots / str(slot)).write_text(header.ljust(127) + "\n")


class SweepTest(LossTestCase):

    def setUp(self):
        self.started = []

    def tearDown(self):
        for process in self.started:
            process.kill()
            process.wait()

    def bystander(self, worker_id):
        """A process outside of any worker, with a worker's mark."""
        process = subprocess.Popen(
            ["/bin/sleep", "1000"], env={"VIGIL_WORKER_ID": worker_id},
            start_new_session=True)
        self.started.append(process)
        return process

    def stray_holder(self, cluster, hold):
        """A job that holds a lock, and has a grandchild that strayed."""
        name = f"stray{next(self.numbers)}"
        self.journal = cluster.dir / f"{name}.journal"
        return cluster.command(
            "/bin/sh", "-c", STRAY, "sh", PYTHON, f"{TASKS}/hold_lock.py",
            cluster.dir / f"{name}.lock", self.journal, hold,
            max_processes=100)

    def strays(self):
        """The pids of the grandchildren."""
        return [pid for pid in self.tree() if b"stray" in
                pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]

    @staticmethod
    def worker_id(cluster):
        """The id of the one worker."""
        (worker,) = cluster.get_status().workers
        return worker.worker_id

    def test_C6_strays_of_a_killed_worker_and_slot_die_before_it_runs_again(
            self):
        with Cluster(local_slots=0) as cluster:
            worker = cluster.start_worker("w")
            job_id = cluster.submit(self.stray_holder(cluster, 2))
            self.wait_started(cluster, job_id)
            strays = wait_until(self.strays, "the grandchild is there")
            holder = self.holder_pid()
            slot = parent_of(holder)
            # Stopped first, so that neither cleans up after the other.
            for pid in (slot, worker.pid):
                os.kill(pid, signal.SIGSTOP)
            for pid in (worker.pid, slot):
                os.kill(pid, signal.SIGKILL)
            worker.wait()
            wait_until(lambda: not alive(holder), "the task dies with its slot")
            self.assertTrue(all(map(alive, strays)))
            start = time.monotonic()
            cluster.start_worker("w")
            job = cluster.finish(job_id)
            self.assertLess(time.monotonic() - start, WELL_BEFORE_THE_LEASE)
            self.assert_second_attempt(job)
            self.assertFalse(any(map(alive, strays)))
            log = cluster.log()
            self.assertIn("earlier lives of this worker left", log)
            self.assertIn("its successor proved that nothing of it is left",
                          job.attempts[0].failure.message)

    def test_C6_a_slot_that_hangs_does_not_outlive_its_worker(self):
        with Cluster(local_slots=0) as cluster:
            worker = cluster.start_worker("w")
            job_id = cluster.submit(
                self.holder(cluster, 2))
            tree = self.wait_started(cluster, job_id)
            slot = parent_of(self.holder_pid())
            os.kill(slot, signal.SIGSTOP)
            worker.kill()
            worker.wait()
            self.assertTrue(all(map(alive, [slot, *tree])))
            start = time.monotonic()
            cluster.start_worker("w")
            job = cluster.finish(job_id)
            self.assertLess(time.monotonic() - start, WELL_BEFORE_THE_LEASE)
            self.assert_second_attempt(job)
            self.assertFalse(any(map(alive, [slot, *tree])))

    def test_C6_the_coordinators_restart_changes_nothing_of_it(self):
        with Cluster(local_slots=0) as cluster:
            worker = cluster.start_worker("w")
            job_id = cluster.submit(
                self.holder(cluster, 2))
            tree = self.wait_started(cluster, job_id)
            cluster.kill()
            worker.kill()
            worker.wait()
            wait_until(lambda: not any(map(alive, tree)), "the tree is dead")
            cluster.start()
            start = time.monotonic()
            cluster.start_worker("w")
            job = cluster.finish(job_id)
            self.assertLess(time.monotonic() - start, WELL_BEFORE_THE_LEASE)
            self.assert_second_attempt(job)

    def sweep(self, cluster, worker_id, *flags):
        """What `vigil worker sweep` finds, as JSON."""
        swept = cluster.vigil("worker", "sweep", worker_id, *flags, "-ojson")
        self.assertEqual(swept.returncode, 0, swept.stderr)
        return json.loads(swept.stdout).get("result", {}).get("processes", [])

    def test_S7_sweep_lists_first_and_kills_then(self):
        with Cluster(local_slots=0) as cluster:
            cluster.start_worker("w")
            job_id = cluster.submit(
                self.holder(cluster, 600))
            tree = self.wait_started(cluster, job_id)
            worker_id = self.worker_id(cluster)
            self.assertEqual(self.sweep(cluster, worker_id, "--dry-run"), [])
            left = self.bystander(worker_id)
            other = self.bystander("another")

            (found,) = self.sweep(cluster, worker_id, "--dry-run")
            self.assertEqual(found["pid"], left.pid)
            self.assertIn("/bin/sleep 1000", found["command"])
            self.assertIn("mark in its environment", found["found_by"])
            self.assertNotIn("killed", found)
            self.assertIsNone(left.poll())

            (killed,) = self.sweep(cluster, worker_id)
            self.assertEqual((killed["pid"], killed["killed"]),
                             (left.pid, True))
            self.assertEqual(left.wait(timeout=10), -signal.SIGKILL)
            self.assertIsNone(other.poll())
            # The worker's own tree bears its mark too, and lives.
            self.assertTrue(all(map(alive, tree)))
            self.assertEqual(self.sweep(cluster, worker_id), [])
            cluster.cancel(job_id)
            cluster.finish(job_id)

    def test_S7_sweep_of_a_worker_that_is_not_there_is_an_error(self):
        with Cluster(local_slots=0) as cluster:
            unknown = cluster.vigil("worker", "sweep", "x")
            self.assertEqual(unknown.returncode, 4)
            self.assertIn(b"NOT_FOUND", unknown.stderr)
            self.assertIn(b"`vigil worker list` shows", unknown.stderr)

    def test_S7_strangers_are_not_touched_whatever_a_record_says(self):
        with Cluster(local_slots=0) as cluster:
            recorded = self.bystander("nobody")
            recycled = self.bystander("nobody")
            forge_record(cluster.dir / "w", 0, recorded.pid,
                         start_ticks_of(recorded.pid))
            forge_record(cluster.dir / "w", 1, recycled.pid,
                         start_ticks_of(recycled.pid) - 1)
            cluster.start_worker("w")
            job, _, _ = cluster.run(cluster.command("/bin/true"))
            self.assertEqual(len(job.attempts), 1)
            self.assertEqual(recorded.wait(timeout=10), -signal.SIGKILL)
            self.assertIsNone(recycled.poll())
            self.assertEqual(
                self.sweep(cluster, self.worker_id(cluster)), [])
            self.assertIsNone(recycled.poll())


if __name__ == "__main__":
    unittest.main()

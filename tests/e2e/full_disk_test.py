"""A disk that is really full, and one that fails: a small tmpfs, and a limit on
the size of files.

While there is no room nothing is acknowledged, health says NOT_SERVING and
status is still answered; when there is room again, what waited is committed and
nothing that was acknowledged is lost. Any other failed write ends the
coordinator, with a last line that says so.
"""
import contextlib
import subprocess
import unittest

import grpc
from vigil.v1 import job_pb2, job_service_pb2, status_service_pb2

from cluster import (
    Cluster, NOT_SERVING, PATIENCE, SERVING, State, processes_with, refused,
    wait_until)

SIZE = 24 << 20
INPUT = b"x" * (1 << 20)


class FullDiskTest(unittest.TestCase):

    @contextlib.contextmanager
    def small_disk(self):
        """A cluster whose data lies on a small file system of its own, and
        where to put what fills it; skips the test where mounting is refused.
        """
        with Cluster(local_slots=0) as cluster:
            disk = cluster.dir / "disk"
            cluster.terminate()
            disk.mkdir()
            mounted = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700",
                 "tmpfs", str(disk)], capture_output=True, text=True,
                check=False)
            if mounted.returncode != 0:
                self.skipTest("no small disk to fill, mounting needs root: "
                              + mounted.stderr.strip())
            try:
                cluster.data_dir = disk / "data"
                cluster.start()
                yield cluster, disk / "ballast"
            finally:
                cluster.kill()
                subprocess.run(["umount", str(disk)], capture_output=True,
                               check=False)

    def fill(self, path):
        """Writes until there is no room."""
        with open(path, "wb", buffering=0) as ballast:
            for size in (1 << 16, 1 << 12):
                try:
                    while True:
                        ballast.write(b"\0" * size)
                except OSError:
                    pass

    def submit_until_stalled(self, cluster):
        """Submits, one by one, until the store stands still; returns the ids
        that were acknowledged and the call that waits.
        """
        acknowledged = []
        while True:
            request = cluster.command("/bin/true")
            request.spec.input = INPUT
            call = cluster.jobs.SubmitJob.future(request)
            wait_until(lambda call=call: call.done()
                       or cluster.health() == NOT_SERVING,
                       "an answer or a stall")
            if not call.done():
                return acknowledged, call
            acknowledged.append(call.result().job.job_id)

    def test_a_full_disk_stops_acknowledgements_until_there_is_room(self):
        with self.small_disk() as (cluster, ballast):
            self.check_full_disk(cluster, ballast)

    @staticmethod
    def get(cluster, job_id):
        """GetJob, which is not to wait for room."""
        return cluster.jobs.GetJob(
            job_service_pb2.GetJobRequest(job_id=job_id),
            timeout=PATIENCE).job

    def check_full_disk(self, cluster, ballast):
        # Elsewhere: its own disk is not the one that is full.
        cluster.start_worker("w", slots=2)
        ended = cluster.submit(cluster.command("/bin/echo", "early"))
        cluster.finish(ended)
        gate = cluster.dir / "gate"
        running = cluster.submit(cluster.command(
            "/bin/sh", "-c", f"echo on; while [ ! -e {gate} ]; do :; done"))
        cluster.wait_phase(running, job_pb2.Attempt.PHASE_ACTIVE)
        self.assertEqual(cluster.health(), SERVING)
        self.fill(ballast)
        acknowledged, waits = self.submit_until_stalled(cluster)

        # Nothing is taken, and it is said why; questions are answered.
        error = refused(cluster.jobs.SubmitJob, cluster.command("/bin/true"))
        self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertIn("the disk is full", error.details())
        self.assertIn("jobs.db", error.details())
        self.assertEqual(cluster.health(), NOT_SERVING)
        self.assertGreaterEqual(cluster.get_status().slots_total, 2)
        self.assertEqual(self.get(cluster, ended).state, State.STATE_SUCCEEDED)
        # A job that ends meanwhile is not reported as ended.
        gate.touch()
        wait_until(lambda: not processes_with(str(gate)), "the program ends")
        for _ in range(10):
            self.assertGreaterEqual(cluster.get_status().slots_total, 2)
            self.assertEqual(cluster.health(), NOT_SERVING)
            self.assertEqual(self.get(cluster, running).state,
                             State.STATE_RUNNING)
        self.assertFalse(waits.done())
        stalled = cluster.get_status()
        self.assertEqual([r.limit for r in stalled.refusals],
                         [status_service_pb2.Refusal.LIMIT_DISK])

        ballast.unlink()
        acknowledged.append(waits.result(timeout=PATIENCE).job.job_id)
        wait_until(lambda: cluster.health() == SERVING, "it serves again")
        acknowledged += [ended, running,
                         cluster.submit(cluster.command("/bin/true"))]
        for job_id in acknowledged:
            self.assertEqual(cluster.finish(job_id).state,
                             State.STATE_SUCCEEDED)
        # One attempt each: the stall cost nobody anything.
        self.assertEqual(len(cluster.get(running).attempts), 1)
        cluster.kill()
        cluster.start()
        self.assertEqual({job.job_id for job in cluster.list_jobs()},
                         set(acknowledged))

    def test_a_watcher_that_comes_while_the_disk_is_full_misses_nothing(self):
        with self.small_disk() as (cluster, ballast):
            self.check_watchers(cluster, ballast)

    def check_watchers(self, cluster, ballast):
        cluster.start_worker("w", slots=1)
        gate = cluster.dir / "gate"
        running = cluster.submit(cluster.command(
            "/bin/sh", "-c", f"for word in one two three; do while "
            f"[ ! -e {gate}.$word ]; do sleep 0.02; done; echo $word; done"))

        def watch():
            return cluster.jobs.WatchJob(
                job_service_pb2.WatchJobRequest(job_id=running),
                timeout=PATIENCE)

        def wait_for(events, word):
            for response in events:
                if response.event.output.data == word.encode() + b"\n":
                    return
            self.fail(f"no {word}")

        def let(word):
            (cluster.dir / f"gate.{word}").touch()

        early = watch()
        let("one")
        wait_for(early, "one")
        self.fill(ballast)
        _, waits = self.submit_until_stalled(cluster)
        # What the early watcher has by now is not in the store.
        let("two")
        wait_for(early, "two")
        late = watch()
        self.assertTrue(next(late).event.HasField("job"))
        let("three")
        wait_for(early, "three")
        ballast.unlink()
        seen = list(late)
        self.assertEqual(
            [r.event.gap for r in seen if r.event.HasField("gap")], [])
        self.assertEqual(b"".join(r.event.output.data for r in seen),
                         b"one\ntwo\nthree\n")
        waits.result(timeout=PATIENCE)

    def test_a_killed_coordinator_lost_nothing_on_a_full_disk(self):
        with self.small_disk() as (cluster, ballast):
            first = cluster.submit(cluster.command("/bin/true"))
            self.fill(ballast)
            acknowledged, waits = self.submit_until_stalled(cluster)
            cluster.kill()
            with self.assertRaises(grpc.RpcError):
                waits.result(timeout=PATIENCE)
            ballast.unlink()
            cluster.start()
            self.assertEqual({job.job_id for job in cluster.list_jobs()},
                             {first, *acknowledged})

    # A limit on the size of files is a failed write that is no full disk.
    def test_a_failing_disk_ends_the_coordinator_and_says_so(self):
        with Cluster(local_slots=0, prefix=[
                "/bin/sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"]) as cluster:
            acknowledged = cluster.submit(cluster.command("/bin/true"))
            request = cluster.command("/bin/true")
            request.spec.input = INPUT
            subprocess.run(
                ["prlimit", f"--pid={cluster.coordinator.pid}",
                 f"--fsize={len(INPUT) // 2}"], check=True)
            error = refused(
                lambda request: cluster.jobs.SubmitJob(request,
                                                       timeout=PATIENCE),
                request)
            self.assertEqual(error.code(), grpc.StatusCode.UNAVAILABLE)
            self.assertEqual(cluster.coordinator.wait(timeout=PATIENCE), 1)
            last = cluster.log().splitlines()[-1]
            self.assertIn("the store failed, ending: ", last)
            self.assertIn(str(cluster.data_dir / "jobs.db"), last)
            self.assertIn("the disk failed: look at the kernel", last)
            cluster.start()
            self.assertEqual([job.job_id for job in cluster.list_jobs()],
                             [acknowledged])


if __name__ == "__main__":
    unittest.main()

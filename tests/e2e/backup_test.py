"""A backup of a live coordinator under load, its data destroyed, a restore:
every job that was acknowledged before the backup is there, and the queued ones
run. And what the two commands refuse, and say.
"""
import pathlib
import re
import shutil
import subprocess
import threading
import unittest

import grpc
from vigil.v1 import job_service_pb2

from cluster import COORDINATOR, Cluster, PATIENCE, State, wait_until

PIECE = 20


class BackupTest(unittest.TestCase):

    def ended_job(self, cluster):
        """A job that has run, as GetJob shows it."""
        return cluster.finish(cluster.submit(cluster.command("/bin/true")))

    def command(self, cluster, *flags, data_dir=None):
        """Runs a command on the files of a data directory."""
        return subprocess.run(
            [COORDINATOR, f"--data_dir={data_dir or cluster.data_dir}",
             *map(str, flags)], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=PATIENCE, check=False)

    def assert_done(self, ended, pattern):
        """Ended well, with one line that matches."""
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(ended.stderr, "")
        self.assertRegex(ended.stdout, f"^{pattern}\n$")
        return re.match(pattern, ended.stdout)

    def assert_refused(self, ended, *says):
        """Refused, with a reason."""
        self.assertEqual((ended.returncode, ended.stdout), (1, ""))
        for text in says:
            self.assertIn(str(text), ended.stderr)

    def backup(self, cluster, name="backup"):
        """Makes a backup; returns its path and how many jobs it has."""
        path = cluster.dir / name
        done = self.assert_done(
            self.command(cluster, f"--backup={path}"),
            rf"backed up (\d+) jobs?, (\d+) bytes, as of "
            rf"\d+-\d+-\d+T\d+:\d+:\d+(?:Z|\+00:00), to {re.escape(str(path))} "
            r"in [\d.ms]+")
        self.assertEqual(path.stat().st_size, int(done[2]))
        self.assertEqual(path.stat().st_mode & 0o7777, 0o600)
        return path, int(done[1])

    # --- load
    def start_load(self, cluster, acknowledged):
        """Submits without end; returns a function that ends it."""
        stop = threading.Event()

        def submit(client):
            number = 0
            with grpc.insecure_channel(cluster.address) as channel:
                submit = cluster.jobs.__class__(channel).SubmitJobs
                while not stop.is_set():
                    request = job_service_pb2.SubmitJobsRequest()
                    for _ in range(PIECE):
                        number += 1
                        request.jobs.append(cluster.command(
                            "/bin/echo", number,
                            request_id=f"{client}.{number}"))
                    for result in submit(request).results:
                        acknowledged.append(result.job_id)
        threads = [threading.Thread(target=submit, args=(client,))
                   for client in range(2)]
        for thread in threads:
            thread.start()

        def end():
            stop.set()
            for thread in threads:
                thread.join()
        return end

    def test_what_was_acknowledged_before_a_backup_is_there_after_a_restore(
            self):
        with Cluster(local_slots=1) as cluster:
            ended, out, _ = cluster.run(
                cluster.command("/bin/echo", "before", request_id="ended"))
            self.assertEqual(out, b"before\n")
            cluster.terminate()
            cluster.slots = 0
            cluster.flags[0] = "--local_slots=0"
            cluster.start()
            acknowledged = [ended.job_id]
            end_load = self.start_load(cluster, acknowledged)
            try:
                wait_until(lambda: len(acknowledged) > 10 * PIECE, "some load")
                before = set(acknowledged)
                backup, jobs = self.backup(cluster)
                count = len(acknowledged)
                wait_until(lambda: len(acknowledged) > count,
                           "the coordinator goes on")
            finally:
                end_load()
            self.assertGreaterEqual(jobs, len(before))
            self.assertLess(jobs, len(acknowledged))
            cluster.kill()
            database = cluster.data_dir / "jobs.db"
            database.write_bytes(b"gone" * 1000)

            restored = self.assert_done(
                self.command(cluster, f"--restore={backup}"),
                rf"restored {jobs} jobs, \d+ bytes, from "
                rf"{re.escape(str(backup))} in [\d.ms]+; the database of before"
                r" is (\S+)")
            self.assertEqual(pathlib.Path(restored[1]).read_bytes(),
                             b"gone" * 1000)
            cluster.slots = 2
            cluster.flags[0] = "--local_slots=2"
            cluster.start()
            found = {job.job_id for job in cluster.list_jobs()}
            self.assertEqual(len(found), jobs)
            self.assertEqual(before - found, set())

            def done():
                return all(job.state == State.STATE_SUCCEEDED
                           for job in cluster.list_jobs())
            wait_until(done, "every job has run", 300)
            again = cluster.get(ended.job_id)
            self.assertEqual(again.end_time, ended.end_time)
            self.assertEqual(again.attempts, ended.attempts)

    def test_a_restore_needs_nothing_of_the_old_directory(self):
        with Cluster(local_slots=1) as cluster:
            job = self.ended_job(cluster)
            backup, _ = self.backup(cluster)
            cluster.terminate()
            shutil.rmtree(cluster.data_dir)
            self.assert_done(self.command(cluster, f"--restore={backup}"),
                             "restored 1 job, .*; there was no database before")
            cluster.start()
            self.assertEqual(cluster.get(job.job_id), job)
            # A coordinator that takes new jobs and can be backed up, too.
            self.ended_job(cluster)
            self.assertEqual(self.backup(cluster, "second")[1], 2)

    def test_a_restore_is_refused_while_a_coordinator_runs(self):
        with Cluster(local_slots=1) as cluster:
            backup, _ = self.backup(cluster)
            job = self.ended_job(cluster)
            self.assert_refused(self.command(cluster, f"--restore={backup}"),
                                cluster.data_dir,
                                f"process {cluster.coordinator.pid}")
            self.assertEqual(cluster.get(job.job_id), job)

    def test_a_backup_replaces_nothing_and_makes_no_store(self):
        with Cluster(local_slots=1) as cluster:
            backup, _ = self.backup(cluster)
            before = backup.read_bytes()
            self.assert_refused(self.command(cluster, f"--backup={backup}"),
                                backup, "exists")
            self.assertEqual(backup.read_bytes(), before)
            none = cluster.dir / "none"
            self.assert_refused(
                self.command(cluster, f"--backup={cluster.dir}/b",
                             data_dir=none), "no backup was made", none)
            self.assertFalse(none.exists())
            self.assertFalse((cluster.dir / "b").exists())
            self.assertFalse((cluster.dir / "b.new").exists())

    def test_a_damaged_backup_leaves_the_store_as_it_is(self):
        with Cluster(local_slots=1) as cluster:
            job = self.ended_job(cluster)
            backup, _ = self.backup(cluster)
            cluster.terminate()
            backup.write_bytes(backup.read_bytes()[:-5000])
            self.assert_refused(self.command(cluster, f"--restore={backup}"),
                                backup, "damaged")
            self.assert_refused(
                self.command(cluster, f"--restore={cluster.dir}/none"),
                cluster.dir / "none")
            self.assert_refused(
                self.command(cluster, f"--restore={backup}",
                             f"--backup={cluster.dir}/b"),
                "--backup and --restore")
            cluster.start()
            self.assertEqual(cluster.get(job.job_id), job)


if __name__ == "__main__":
    unittest.main()

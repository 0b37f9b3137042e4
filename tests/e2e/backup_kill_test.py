"""kill -9 of --restore and of --backup right before each call with which they
change what is on the disk (kill_at.c): afterwards a coordinator finds either
the old store or the restored one, whole; and nothing that was cut short is
taken for a backup, or is in the way of the next one.
"""
import os
import shutil
import signal
import subprocess
import unittest

from cluster import COORDINATOR, Cluster, PATIENCE

KILL_AT = os.path.abspath("tests/e2e/kill_at.so")
# More calls than either command makes on a store of three jobs.
CALLS_MAX = 200


class BackupKillTest(unittest.TestCase):

    def run_killed(self, cluster, flag, call):
        """Runs a command that is killed before its `call`-th call; returns
        whether it was.
        """
        ended = subprocess.run(
            [COORDINATOR, f"--data_dir={cluster.data_dir}", flag],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
            env={**os.environ, "LD_PRELOAD": KILL_AT, "KILL_AT": str(call)})
        self.assertIn(ended.returncode, (0, -signal.SIGKILL), ended.stderr)
        return ended.returncode != 0

    def ids(self, cluster):
        """The jobs that a coordinator finds, which is killed then."""
        cluster.start()
        found = {job.job_id for job in cluster.list_jobs()}
        cluster.kill()
        return found

    def submit(self, cluster):
        """A job that stays queued."""
        return cluster.submit(cluster.command("/bin/true"))

    def test_a_killed_restore_leaves_the_old_store_or_the_restored_one(self):
        with Cluster(local_slots=0) as cluster:
            restored = {self.submit(cluster)}
            backup = cluster.dir / "backup"
            subprocess.run([COORDINATOR, f"--data_dir={cluster.data_dir}",
                            f"--backup={backup}"], check=True,
                           stdout=subprocess.DEVNULL)
            old = restored | {self.submit(cluster), self.submit(cluster)}
            # Some of the old store is in its log only.
            cluster.kill()
            image = cluster.dir / "image"
            shutil.copytree(cluster.data_dir, image)
            found = []
            for call in range(1, CALLS_MAX):
                shutil.rmtree(cluster.data_dir)
                shutil.copytree(image, cluster.data_dir)
                killed = self.run_killed(cluster, f"--restore={backup}", call)
                found.append(self.ids(cluster))
                if not killed:
                    break
            self.assertFalse(killed)
            # The old one up to some call, the restored one from there on.
            restores = found.count(restored)
            self.assertEqual(
                found, [old] * (len(found) - restores) + [restored] * restores)
            print(len(found) - 1, "kills,", restores, "behind the decision")
            self.assertGreater(len(found), 20)
            self.assertGreater(restores, 4)

    def test_a_killed_backup_is_none_and_in_nobodys_way(self):
        with Cluster(local_slots=0) as cluster:
            jobs = {self.submit(cluster)}
            backup = cluster.dir / "backup"
            kills = 0
            while self.run_killed(cluster, f"--backup={backup}", kills + 1):
                kills += 1
                self.assertLess(kills, CALLS_MAX)
                if backup.exists():
                    # Whole: it was renamed and only to be made durable.
                    os.rename(backup, cluster.dir / "whole")
            print(kills, "kills")
            self.assertGreater(kills, 10)
            self.assertEqual(list(cluster.dir.glob("backup?*")), [])
            self.assertEqual(backup.stat().st_mode & 0o7777, 0o600)
            # The coordinator did not notice.
            jobs.add(self.submit(cluster))
            cluster.kill()
            for name in ("whole", "backup"):
                shutil.rmtree(cluster.data_dir)
                done = subprocess.run(
                    [COORDINATOR, f"--data_dir={cluster.data_dir}",
                     f"--restore={cluster.dir}/{name}"], capture_output=True,
                    text=True, timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(len(self.ids(cluster) & jobs), 1)


if __name__ == "__main__":
    unittest.main()

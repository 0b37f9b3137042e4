"""`vigil watch` and `vigil top` beside a coordinator that is killed and comes
back, while a worker of its own goes on with its jobs.
"""
import json
import os
import subprocess
import unittest

from cluster import VIGIL, Cluster, Phase, wait_until


class WatchCliTest(unittest.TestCase):

    def start(self, cluster, *args):
        """A vigil that runs, with its output in files."""
        out = open(cluster.dir / "out", "wb")
        err = open(cluster.dir / "err", "wb")
        self.addCleanup(out.close)
        self.addCleanup(err.close)
        vigil = subprocess.Popen(
            [VIGIL, *args], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            env={**os.environ, "VIGIL_ADDRESS": cluster.address})
        self.addCleanup(vigil.wait)
        self.addCleanup(vigil.kill)
        return vigil

    def test_a_job_is_watched_through_a_restart_without_a_byte_too_much(self):
        with Cluster(local_slots=0) as cluster:
            cluster.start_worker("w")
            lines = [f"line {i}" for i in range(40)]
            job_id = cluster.submit(cluster.talker(
                *[step for line in lines for step in (f"out:{line}", 0.1)]))
            cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
            watch = self.start(cluster, "watch", job_id)
            wait_until(lambda: (cluster.dir / "out").stat().st_size > 0,
                       "output is watched")
            cluster.kill()
            cluster.start()
            self.assertEqual(watch.wait(timeout=60), 0)
            self.assertEqual((cluster.dir / "out").read_text().splitlines(),
                             lines)
            said = (cluster.dir / "err").read_text()
            self.assertIn("lost the coordinator", said)
            self.assertIn(f"vigil: job {job_id} SUCCEEDED after ", said)

    def test_what_is_kept_of_an_ended_job_is_shown(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(cluster.command(
                "sh", "-c", "echo out; echo err >&2; exit 3"))
            cluster.finish(job_id)
            watch = cluster.vigil("watch", job_id)
            self.assertEqual(watch.returncode, 3)
            self.assertEqual(watch.stdout, b"out\n")
            self.assertIn(b"err\n", watch.stderr)
            self.assertIn(f"vigil: job {job_id} FAILED: NONZERO_EXIT: ",
                          watch.stderr.splitlines()[-1].decode())

    def test_a_batch_is_watched_to_its_end(self):
        with Cluster(local_slots=2) as cluster:
            batch = cluster.vigil("batch", "--", "sh", "-c", "exit $0", "{}",
                                  stdin=None, input=b"0\n1\n0\n")
            self.assertEqual(batch.returncode, 123)
            listed = json.loads(cluster.vigil(
                "batch", "list", "-o", "json").stdout)
            batch_id = listed["batches"][0]["batch_id"]
            watch = cluster.vigil("watch", batch_id, "--in_order")
            self.assertEqual(watch.returncode, 123)
            states = [line.split()[4].strip(b":")
                      for line in watch.stdout.splitlines()]
            self.assertEqual(states, [b"SUCCEEDED", b"FAILED", b"SUCCEEDED"])

    def test_top_goes_on_when_the_coordinator_is_back(self):
        with Cluster(local_slots=1) as cluster:
            top = self.start(cluster, "top", "--interval=100ms", "-o", "jsonl")

            def shown():
                text = (cluster.dir / "out").read_text()
                return [json.loads(line)
                        for line in text[:text.rfind("\n") + 1].splitlines()]
            wait_until(shown, "the first line")
            cluster.kill()
            wait_until(lambda: "error" in shown()[-1], "it is missed")
            self.assertIn("nobody listens there", shown()[-1]["error"])
            cluster.start()
            wait_until(
                lambda: shown()[-1].get("status", {}).get("epoch") == "2",
                "it is back")
            top.terminate()
            self.assertEqual(top.wait(timeout=60), 143)


if __name__ == "__main__":
    unittest.main()

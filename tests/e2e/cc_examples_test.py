"""Proves that the examples of the C++ client do what they say, each against a
real coordinator, and the one that resumes through a restart of it."""
import subprocess
import unittest

from cluster import PATIENCE, Cluster, State, wait_until

EXAMPLES = "deploy/examples"


class CcExamplesTest(unittest.TestCase):

    def start(self, local_slots=2):
        self.cluster = Cluster(local_slots)
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def begin(self, name, *args):
        process = subprocess.Popen(
            [f"{EXAMPLES}/{name}", self.cluster.address, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_example(self, name, *args, **options):
        return subprocess.run(
            [f"{EXAMPLES}/{name}", self.cluster.address, *args],
            capture_output=True, text=True, timeout=PATIENCE, check=False,
            **options)

    def test_run_job_streams_the_command(self):
        self.start()
        done = self.run_example("run_job", "sh", "-c", "echo hello; exit 3")
        self.assertEqual(done.returncode, 1)
        self.assertIn("hello\nSTATE_FAILED ", done.stdout)

    def test_run_job_goes_on_through_a_restart_of_the_coordinator(self):
        # A worker of its own outlives the coordinator, and its task with it.
        self.start(local_slots=0)
        self.cluster.start_worker("w")
        go = self.cluster.dir / "go"
        process = self.begin(
            "run_job", "sh", "-c",
            f"echo before; until [ -e {go} ]; do echo -n .; sleep 0.1; done;"
            "echo after")
        job = wait_until(lambda: [
            job for job in self.cluster.list_jobs()
            if job.state == State.STATE_RUNNING], "the job runs")[0]
        self.cluster.kill()
        self.cluster.start()
        go.touch()
        output = process.communicate(timeout=PATIENCE)[0]
        self.assertEqual(process.returncode, 0, output)
        self.assertRegex(output, r"\Abefore\n\.*after\nSTATE_SUCCEEDED \n\Z")
        self.assertEqual(len(self.cluster.get(job.job_id).attempts), 1)

    def test_cancel_on_leave_leaves_no_job_behind(self):
        self.start()
        done = self.run_example("cancel_on_leave", "now", "sh", "-c",
                                "echo now; exec sleep 1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        job_id = done.stdout.split()[0]
        self.assertEqual(done.stdout, f"{job_id} said now\n")
        # At once: who only left would be waited for 10 s.
        self.assertTrue(self.cluster.get(job_id).cancel_requested)
        self.assertEqual(self.cluster.finish(job_id).state,
                         State.STATE_CANCELLED)

    def test_run_batch_writes_how_each_line_ended(self):
        self.start()
        lines = [str(i % 2) for i in range(1500)]
        done = self.run_example("run_batch", "sh", "-c", "exit $0", "{}",
                                input="\n".join(lines) + "\n")
        self.assertEqual(done.returncode, 1, done.stderr)
        results = done.stdout.splitlines()
        self.assertEqual(results.pop(), "750 of 1500 succeeded")
        self.assertEqual(
            sorted(results, key=lambda line: int(line.split()[0])),
            [f"{i} STATE_{'FAILED' if line == '1' else 'SUCCEEDED'}"
             for i, line in enumerate(lines)])

    def test_coroutines_run_both_programs_at_once(self):
        self.start()
        # Each waits for the other.
        programs = []
        for mine, other in (("a", "b"), ("b", "a")):
            path = self.cluster.dir / f"program_{mine}"
            path.write_text(
                f"#!/bin/sh\ntouch {self.cluster.dir}/{mine}\n"
                f"until [ -e {self.cluster.dir}/{other} ]; do sleep 0.05; done\n"
                "echo met\n")
            path.chmod(0o700)
            programs.append(str(path))
        done = self.run_example("coroutines", *programs)
        self.assertEqual(done.returncode, 0, done.stdout)
        lines = done.stdout.splitlines()
        self.assertEqual(lines.pop(), "2 jobs")
        self.assertEqual(sorted(lines),
                         [f"{program}: met" for program in programs])


if __name__ == "__main__":
    unittest.main()

"""Proves that `vigil doctor` finds a well coordinator well and says of one that
is not what is wrong (row C5): with real processes, in coordinators of its own
and on live ones, whose worker is stopped, whose slots are none or busy, or that
take no commands.
"""
import collections
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from cluster import (
    PATIENCE, TASKS, VIGIL, Cluster, processes_with, wait_until)

CHECKS = ["slots", "nested_pool", "batch", "order", "results", "timeout",
          "chunks", "cancel"]


def findings(run):
    """What `-o json` wrote, by check."""
    return {one["check"]: one
            for one in map(json.loads, run.stdout.splitlines())}


class DoctorCase(unittest.TestCase):

    def assert_well(self, run):
        """Every check is ok, with figures that can be."""
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertEqual(run.stderr, b"")
        found = findings(run)
        self.assertEqual(list(found), CHECKS)
        for one in found.values():
            self.assertEqual((one["state"], one["advice"]), ("OK", ""), one)
        figures = {name: one["figures"] for name, one in found.items()}
        self.assertEqual(figures["slots"]["jobs"], 2)
        self.assertEqual(figures["slots"]["slots"], 2)
        self.assertGreater(figures["slots"]["first_output_ms"], 0)
        self.assertEqual(figures["nested_pool"]["program"], "sh")
        self.assertIn(figures["nested_pool"]["call"],
                      ("clone", "fork", "vfork"))
        self.assertGreater(figures["batch"]["jobs_per_s"], 0)
        self.assertGreaterEqual(figures["order"]["gap_max_ms"], 0)
        self.assertGreater(figures["results"]["lead_ms"], 0)
        self.assertGreaterEqual(figures["timeout"]["late_ms"], 0)
        self.assertGreater(
            figures["timeout"]["time_to_confirmed_death_ms"], 0)
        self.assertEqual((figures["chunks"]["chunks_done"],
                          figures["chunks"]["chunks_total"]), (2, 3))
        self.assertGreaterEqual(figures["chunks"]["stopped_after_ms"], 500)
        self.assertEqual((figures["cancel"]["processes"],
                          figures["cancel"]["processes_seen"]), (2, 2))
        return figures


class PrivateDoctorTest(DoctorCase):

    def setUp(self):
        tmp = tempfile.TemporaryDirectory(
            prefix="d", dir=os.environ.get("E2E_TMP", "/tmp"))
        self.addCleanup(tmp.cleanup)
        self.tmp = pathlib.Path(tmp.name)
        self.environment = {"PATH": os.environ["PATH"], "TMPDIR": tmp.name,
                            "XDG_RUNTIME_DIR": tmp.name}

    def doctor(self, *args):
        return subprocess.run(
            [VIGIL, "doctor", *args], stdin=subprocess.DEVNULL,
            capture_output=True, timeout=PATIENCE, check=False,
            env=self.environment)

    def assert_nothing_is_left(self):
        wait_until(lambda: not processes_with(str(self.tmp)),
                   "every process of the doctor is gone", 20)
        self.assertEqual(list(self.tmp.glob("vigil-run-*")), [])

    def test_C5_all_is_well_in_coordinators_of_its_own(self):
        self.assert_well(self.doctor("-o", "json"))
        self.assert_nothing_is_left()

    def test_C5_it_reads_well(self):
        run = self.doctor("--only=nested-pool,slots")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        lines = run.stdout.decode().splitlines()
        self.assertEqual(lines[0],
                         "each check in a private coordinator with 2 slots")
        self.assertRegex(lines[1], r"^ok      slots        2 jobs ran at once "
                                   r"on 2 slots; first output after [0-9.]+s$")
        self.assertRegex(lines[2], r"^ok      nested pool  NESTED_POOL ended "
                                   r"sh for its second process \(\w+\); filter "
                                   r"(ENFORCED|UNAVAILABLE: .*)$")
        self.assertEqual(lines[3:], ["2 checks: 2 ok"])

    def test_C5_a_coordinator_that_does_not_start_is_told_of(self):
        run = self.doctor("--coordinator_binary=/bin/false", "--only=batch")
        self.assertEqual(run.returncode, 123, run.stderr)
        self.assertIn(b"FAILED  batch        a private coordinator cannot be "
                      b"started: ", run.stdout)
        run = self.doctor("--coordinator_binary=/no/such", "--only=batch")
        self.assertEqual(run.returncode, 125, run.stdout)
        self.assert_nothing_is_left()

    def test_C5_ctrl_c_ends_it_and_leaves_nothing(self):
        with subprocess.Popen(
                [VIGIL, "doctor", "--only=results"], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=self.environment) as doctor:
            wait_until(lambda: list(self.tmp.glob("vigil-run-*/vigil.sock")),
                       "its coordinator serves")
            doctor.send_signal(signal.SIGINT)
            _, err = doctor.communicate(timeout=PATIENCE)
        self.assertEqual(doctor.returncode, 130, err)
        self.assert_nothing_is_left()


class LiveDoctorTest(DoctorCase):

    def doctor(self, cluster, *args):
        return cluster.vigil("doctor", "-o", "json", *args)

    def test_C5_all_is_well_on_a_live_coordinator(self):
        with Cluster(local_slots=2) as cluster:
            self.assert_well(self.doctor(cluster))
            status = cluster.get_status()
            # All its jobs have ended, in a namespace of their own, and too few
            # fail for one reason to alarm anybody.
            self.assertEqual(status.slots_busy, 0)
            self.assertEqual(cluster.list_jobs(), [])
            jobs = cluster.list_jobs(namespace="vigil-doctor")
            failed = collections.Counter(
                job.failure.reason for job in jobs if job.HasField("failure"))
            self.assertEqual(len(failed), 4, failed)
            self.assertLess(max(failed.values()) / len(jobs), 0.05)

    def test_C5_without_the_filter_a_pool_is_found_and_that_is_said(self):
        with Cluster(local_slots=2,
                     prefix=(f"{TASKS}/no_seccomp",)) as cluster:
            pool = findings(self.doctor(
                cluster, "--only=nested_pool"))["nested_pool"]
            self.assertEqual(pool["state"], "OK", pool)
            self.assertEqual(pool["figures"]["filter"], "UNAVAILABLE")
            self.assertIn("filter UNAVAILABLE: ", pool["message"])

    def test_C5_a_stopped_worker_fails_each_check_with_advice(self):
        with Cluster(local_slots=2) as cluster:
            worker = cluster.local_worker_pid()
            os.kill(worker, signal.SIGSTOP)
            try:
                run = self.doctor(cluster, "--timeout=1s",
                                  "--only=slots,batch,timeout")
            finally:
                os.kill(worker, signal.SIGCONT)
            self.assertEqual(run.returncode, 123, run.stdout + run.stderr)
            found = findings(run)
            self.assertEqual(list(found), ["slots", "batch", "timeout"])
            for one in found.values():
                self.assertEqual(one["state"], "FAILED", one)
                self.assertIn("stopped", one["advice"])
            # It took back what it had asked for.
            wait_until(lambda: cluster.get_status().slots_busy == 0,
                       "its jobs are cancelled")
            self.assertEqual(
                findings(self.doctor(cluster, "--only=batch"))["batch"][
                    "state"], "OK")

    def test_C5_no_slots_fail_each_check_with_advice(self):
        with Cluster(local_slots=0) as cluster:
            run = self.doctor(cluster)
            self.assertEqual(run.returncode, 123, run.stdout + run.stderr)
            found = findings(run)
            self.assertEqual(list(found), CHECKS)
            for one in found.values():
                self.assertEqual(one["state"], "FAILED", one)
                self.assertIn("--local_slots=N", one["advice"])

    def test_C5_where_commands_are_not_allowed_checks_are_skipped(self):
        with Cluster(local_slots=2,
                     flags=["--allow_commands=false"]) as cluster:
            run = self.doctor(cluster)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            found = findings(run)
            self.assertEqual(list(found), CHECKS)
            for one in found.values():
                self.assertEqual(one["state"], "SKIPPED", one)
                self.assertIn("--allow_commands", one["message"])

    def test_C5_busy_slots_are_left_to_others(self):
        with Cluster(local_slots=2) as cluster:
            first = cluster.submit(cluster.command("/bin/sleep", 600))
            wait_until(lambda: cluster.get_status().slots_busy == 1, "one runs")
            run = self.doctor(cluster, "--only=slots,results")
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            found = findings(run)
            self.assertEqual(found["slots"]["figures"]["jobs"], 1)
            self.assertEqual(found["results"]["state"], "SKIPPED")
            second = cluster.submit(cluster.command("/bin/sleep", 600))
            wait_until(lambda: cluster.get_status().slots_busy == 2, "both run")
            begin = time.monotonic()
            run = self.doctor(cluster)
            self.assertLess(time.monotonic() - begin, 10)
            self.assertEqual({one["state"] for one in findings(run).values()},
                             {"SKIPPED"})
            for job_id in (first, second):
                cluster.cancel(job_id)
                cluster.finish(job_id)


if __name__ == "__main__":
    unittest.main()

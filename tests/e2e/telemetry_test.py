"""Proves that a coordinator knows how work has ended lately, says when that is
not well, and keeps an event of it (row B5): through the API, the CLI and the
event log. How: real programs that fail in known numbers. That counts leave with
the window is proved in simulated time, beside the code.
"""
import json
import os
import re
import signal
import stat
import unittest

from cluster import PYTHON, Cluster, Reason, State, wait_until
from vigil.v1 import telemetry_pb2

Health = telemetry_pb2.Telemetry

# Fails as a program does that may have no more threads, but for its last try.
ONCE = """
import os, sys
if os.path.exists(sys.argv[1]):
    sys.exit(0)
open(sys.argv[1], "w").close()
sys.exit("RuntimeError: can't start new thread")
"""


class TelemetryTest(unittest.TestCase):

    def run_many(self, cluster, count, *argv, **options):
        """Runs a command so many times, and returns the jobs."""
        ids = [cluster.submit(cluster.command(*argv, **options))
               for _ in range(count)]
        return [cluster.finish(job_id) for job_id in ids]

    def telemetry(self, cluster):
        """Telemetry of GetStatus."""
        return cluster.get_status().telemetry

    def counts(self, cluster):
        """Attempts by reason."""
        return {count.reason: count.attempts
                for count in self.telemetry(cluster).reasons}

    def events(self, cluster, kind, count):
        """Waits for so many events of a kind, and returns them."""
        def there():
            lines = (cluster.dir / "events").read_text().splitlines()
            found = [json.loads(line)[kind] for line in lines
                     if kind in json.loads(line)]
            return found if len(found) >= count else None
        found = wait_until(there, f"{count} events {kind}")
        self.assertEqual(len(found), count)
        return found

    def test_B5_failures_are_counted_by_class_and_judged(self):
        with Cluster(local_slots=2) as cluster:
            self.assertEqual(self.telemetry(cluster).attempts, 0)
            self.run_many(cluster, 19, "/bin/true")
            telemetry = self.telemetry(cluster)
            self.assertEqual(telemetry.health, Health.HEALTH_OK)
            self.assertEqual(telemetry.window.seconds, 600)
            self.assertRegex(cluster.vigil("status").stdout.decode(),
                             r"HEALTH: +OK\n")
            # One of 20 is not above 5 %; two of 21 are.
            self.run_many(cluster, 1, "/bin/false")
            self.assertEqual(self.telemetry(cluster).health, Health.HEALTH_OK)
            self.run_many(cluster, 1, "/bin/sh", "-c", "exit 65")
            telemetry = self.telemetry(cluster)
            self.assertEqual(telemetry.health, Health.HEALTH_WARNING)
            self.assertIn("commands: 9.5 % of 21 attempts",
                          telemetry.causes[0])
            self.assertIn("(warning above 5 %)", telemetry.causes[0])
            self.run_many(cluster, 1, "/bin/sh", "-c", "kill -9 $$")
            telemetry = self.telemetry(cluster)
            self.assertEqual(telemetry.health, Health.HEALTH_ACTION)
            self.assertEqual(self.counts(cluster), {
                Reason.REASON_UNSPECIFIED: 19,
                Reason.REASON_NONZERO_EXIT: 1,
                Reason.REASON_INVALID_INPUT: 1,
                Reason.REASON_SIGNALLED: 1,
            })
            self.assertEqual(telemetry.jobs, 22)
            self.assertEqual(telemetry.jobs_failed, 3)
            self.assertAlmostEqual(telemetry.reasons[0].rate, 19 / 22)
            status = cluster.vigil("status").stdout.decode()
            self.assertRegex(status, r"HEALTH: +ACTION\n")
            self.assertIn(telemetry.causes[0], status)
            self.assertRegex(status, r"JOBS ENDED: +22\n")
            self.assertRegex(status, r"JOBS FAILED: +3\n")
            wait_until(lambda: "health is ACTION: commands: " in cluster.log(),
                       "the log says so")

    def test_B5_cancelled_jobs_are_no_failures(self):
        with Cluster(local_slots=2) as cluster:
            self.run_many(cluster, 20, "/bin/true")
            for _ in range(5):
                job = cluster.submit(
                    cluster.command("/bin/sleep", 600, shutdown_grace=0))
                wait_until(lambda job=job: cluster.get(job).state
                           == State.STATE_RUNNING, "it runs")
                cluster.cancel(job)
                cluster.finish(job)
            telemetry = self.telemetry(cluster)
            self.assertEqual(telemetry.health, Health.HEALTH_OK)
            self.assertEqual(self.counts(cluster)[Reason.REASON_CANCELLED], 5)
            self.assertEqual(len(telemetry.messages), 0)

    def test_B5_retries_that_cured_and_fallbacks_are_counted(self):
        with Cluster(local_slots=1) as cluster:
            for name in ("a", "b"):
                job, _, _ = cluster.run(cluster.command(
                    PYTHON, "-c", ONCE, cluster.dir / name))
                self.assertEqual(job.state, State.STATE_SUCCEEDED)
                self.assertEqual(len(job.attempts), 2)
            request = cluster.command("/bin/false")
            request.spec.fallback.value = b"instead"
            job, _, _ = cluster.run(request)
            self.assertTrue(job.degraded)
            telemetry = self.telemetry(cluster)
            self.assertEqual(telemetry.jobs, 3)
            self.assertEqual(telemetry.jobs_failed, 0)
            self.assertEqual(telemetry.retries_cured, 2)
            self.assertEqual(telemetry.fallbacks, 1)
            self.assertEqual(
                self.counts(cluster)[Reason.REASON_RESOURCE_EXHAUSTED], 2)
            status = cluster.vigil("status").stdout.decode()
            self.assertRegex(status, r"CURED BY RETRY: +2\n")
            self.assertRegex(status, r"FALLBACKS LATELY: +1\n")

    def test_B5_like_messages_are_one_group(self):
        with Cluster(local_slots=1) as cluster:
            for status in (3, 4, 5):
                self.run_many(cluster, 1, "/bin/sh", "-c", f"exit {status}")
            last = self.run_many(cluster, 1, "/bin/sh", "-c", "exit 7")[0]
            self.run_many(cluster, 1, "/no/such/program")
            messages = self.telemetry(cluster).messages
            self.assertEqual([message.attempts for message in messages],
                             [4, 1])
            self.assertEqual(messages[0].reason, Reason.REASON_NONZERO_EXIT)
            self.assertEqual(messages[0].message, last.failure.message)
            self.assertEqual(messages[0].job_id, last.job_id)
            self.assertRegex(
                cluster.vigil("status").stdout.decode(),
                "NONZERO_EXIT.*" + re.escape(last.failure.message))

    def test_B5_thresholds_are_settings(self):
        with Cluster(local_slots=1, flags=["--warning_rate=60",
                                           "--action_rate=99",
                                           "--telemetry_window=2m"]) as cluster:
            self.run_many(cluster, 10, "/bin/true")
            self.run_many(cluster, 10, "/bin/false")
            telemetry = self.telemetry(cluster)
            self.assertEqual(telemetry.health, Health.HEALTH_OK)
            self.assertEqual(telemetry.window.seconds, 120)
            self.run_many(cluster, 6, "/bin/false")
            self.assertEqual(self.telemetry(cluster).health,
                             Health.HEALTH_WARNING)

    def test_B5_the_event_log_tells_the_same(self):
        with Cluster(local_slots=0) as cluster:
            cluster.terminate()
            path = cluster.dir / "events"
            cluster.flags.append(f"--event_log={path}")
            cluster.start()
            cluster.start_worker("w", slots=2)
            attached = self.events(cluster, "worker_attached", 1)[0]
            self.assertEqual(attached["slots"], 2)
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            self.run_many(cluster, 2, "/bin/true")
            job, _, _ = cluster.run(cluster.command(
                PYTHON, "-c", ONCE, cluster.dir / "once", namespace="n"))
            self.events(cluster, "job_ended", 3)
            usable = self.events(cluster, "usable_slots_changed", 1)[0]
            self.assertEqual(usable["slots"], 1)
            self.assertEqual(usable["slots_max"], 2)
            self.assertIn(job.job_id, usable["cause"])
            failed = self.events(cluster, "attempt_failed", 1)[0]
            self.assertEqual(failed["job_id"], job.job_id)
            self.assertEqual(failed["attempt"], 1)
            self.assertEqual(failed["reason"], "REASON_RESOURCE_EXHAUSTED")
            self.assertEqual(failed["message"],
                             job.attempts[0].failure.message)
            ended = self.events(cluster, "job_ended", 3)[-1]
            self.assertEqual(ended["job_id"], job.job_id)
            self.assertEqual(ended["namespace"], "n")
            self.assertEqual(ended["state"], "STATE_SUCCEEDED")
            self.assertEqual(ended["attempts"], 2)
            self.assertTrue(ended["retry_cured"])
            self.assertTrue(ended["total_duration"].endswith("s"))
            self.run_many(cluster, 20, "/bin/false")
            health = self.events(cluster, "health_changed", 1)[0]
            self.assertEqual(health["before"], "HEALTH_OK")
            self.assertEqual(health["now"], "HEALTH_ACTION")
            self.assertIn("NONZERO_EXIT", health["causes"][0])
            # Each line has its time and one thing that happened.
            for line in path.read_text().splitlines():
                event = json.loads(line)
                self.assertEqual(len(event), 2)
                self.assertIn("time", event)
            # It goes on behind what is there; and after a SIGHUP, beside it.
            lines = path.read_text()
            cluster.terminate()
            cluster.start()
            self.events(cluster, "worker_attached", 2)
            self.assertTrue(path.read_text().startswith(lines))
            moved = cluster.dir / "moved"
            os.rename(path, moved)
            cluster.coordinator.send_signal(signal.SIGHUP)
            wait_until(path.exists, "the file is made anew")
            self.run_many(cluster, 1, "/bin/true")
            self.events(cluster, "job_ended", 1)

    def test_B5_batches_and_their_jobs_are_events_too(self):
        with Cluster(local_slots=1) as cluster:
            cluster.terminate()
            cluster.flags.append(f"--event_log={cluster.dir}/events")
            cluster.start()
            done = cluster.vigil("batch", "--", "/bin/sh", "-c", "exit {}",
                                 input=b"0\n0\n3\n", stdin=None)
            self.assertNotEqual(done.returncode, 0)
            batch = self.events(cluster, "batch_ended", 1)[0]
            self.assertEqual((batch["items"], batch["succeeded"],
                              batch["failed"]), (3, 2, 1))
            self.assertNotIn("partial", batch)
            jobs = self.events(cluster, "job_ended", 3)
            self.assertEqual({job["batch_id"] for job in jobs},
                             {batch["batch_id"]})

    def test_B5_an_event_log_that_cannot_be_kept_is_refused(self):
        with Cluster(local_slots=0) as cluster:
            cluster.terminate()
            cluster.flags.append(f"--event_log={cluster.dir}/no/such/file")
            with self.assertRaisesRegex(AssertionError, "the event log"):
                cluster.start()


if __name__ == "__main__":
    unittest.main()

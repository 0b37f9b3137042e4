"""A5 and C8: every clock is a setting, of the server, of a task type and of a
request, each winning over those before it; the job says what is in force.
"""
import unittest

from cluster import Cluster, Reason, State, refused
from vigil.v1 import job_service_pb2, policy_pb2

CLOCKS = ("startup_timeout", "inactivity_timeout", "progress_timeout",
          "start_to_close_timeout", "schedule_to_start_timeout",
          "schedule_to_close_timeout", "shutdown_grace")

DEFAULTS = {
    "startup_timeout": 120,
    "inactivity_timeout": 45,
    "start_to_close_timeout": 600,
    "schedule_to_close_timeout": 24 * 3600,
    "shutdown_grace": 5,
}

CATALOG = """
task_types {
  name: "slow"
  argv: "/bin/true"
  timeouts {
    startup_timeout { seconds: 20 }
    inactivity_timeout { seconds: 21 }
    start_to_close_timeout { seconds: 22 }
  }
}
task_types {
  name: "quiet"
  argv: "/bin/true"
  activity { mode: MODE_SILENT }
}
task_types {
  name: "hangs"
  argv: "/bin/sleep"
  argv: "600"
  timeouts { startup_timeout { nanos: 600000000 } }
}
"""


def in_force(job):
    """The clocks of a job that are set, in seconds."""
    timeouts = job.spec.timeouts
    return {name: getattr(timeouts, name).ToNanoseconds() / 1e9
            for name in CLOCKS if timeouts.HasField(name)}


def of_type(name, **options):
    """A request for a task type."""
    request = job_service_pb2.SubmitJobRequest()
    request.spec.task_type = name
    return Cluster.apply(request, **options)


class ClocksTest(unittest.TestCase):

    def clocks_of(self, cluster, request):
        """Submits, and reads the clocks back from each place they show."""
        accepted = cluster.jobs.SubmitJob(request).job
        stored = cluster.get(accepted.job_id)
        self.assertEqual(in_force(accepted), in_force(stored))
        cluster.cancel(accepted.job_id)
        return in_force(stored)

    def test_A5_defaults_are_as_documented(self):
        with Cluster(local_slots=1) as cluster:
            self.assertEqual(
                self.clocks_of(cluster, cluster.command("/bin/true")),
                DEFAULTS)

    def test_A5_a_silent_attempt_has_300_s(self):
        with Cluster(local_slots=1) as cluster:
            silent = cluster.command(
                "/bin/true", mode=policy_pb2.ActivityPolicy.MODE_SILENT)
            clocks = self.clocks_of(cluster, silent)
            self.assertEqual(clocks["start_to_close_timeout"], 300)

    def test_A5_each_clock_is_settable_per_request(self):
        with Cluster(local_slots=1) as cluster:
            for number, name in enumerate(CLOCKS):
                value = 1000.25 + number
                request = cluster.command("/bin/true", **{
                    name.removesuffix("_timeout"): value})
                self.assertEqual(self.clocks_of(cluster, request),
                                 {**DEFAULTS, name: value})

    def test_A5_each_clock_is_settable_on_the_command_line(self):
        with Cluster(local_slots=1) as cluster:
            flags = [f"--{name.removesuffix('_timeout')}={30 + number}s"
                     for number, name in enumerate(CLOCKS)]
            ended = cluster.vigil("run", *flags, "--", "/bin/true")
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertEqual(
                in_force(cluster.list_jobs()[0]),
                {name: 30 + number for number, name in enumerate(CLOCKS)})

    def test_C8_the_servers_flags_set_its_defaults(self):
        flags = ["--startup=11s", "--inactivity=12s", "--start_to_close=13s",
                 "--silent_start_to_close=14s", "--schedule_to_close=15s",
                 "--shutdown_grace=16s"]
        with Cluster(local_slots=1, flags=flags) as cluster:
            self.assertEqual(
                self.clocks_of(cluster, cluster.command("/bin/true")),
                {"startup_timeout": 11, "inactivity_timeout": 12,
                 "start_to_close_timeout": 13,
                 "schedule_to_close_timeout": 15, "shutdown_grace": 16})
            silent = self.clocks_of(cluster, cluster.command(
                "/bin/true", mode=policy_pb2.ActivityPolicy.MODE_SILENT))
            self.assertEqual(silent["start_to_close_timeout"], 14)

    def test_C8_request_wins_over_type_and_type_over_server(self):
        with Cluster(local_slots=1, catalog=CATALOG,
                     flags=["--startup=11s", "--shutdown_grace=16s"]
                     ) as cluster:
            clocks = self.clocks_of(
                cluster, of_type("slow", inactivity=33))
            self.assertEqual(clocks, {
                **DEFAULTS,
                "shutdown_grace": 16,           # the server's
                "startup_timeout": 20,          # the type's
                "start_to_close_timeout": 22,   # the type's
                "inactivity_timeout": 33,       # the request's
            })
            self.assertEqual(
                self.clocks_of(cluster, of_type("quiet"))
                ["start_to_close_timeout"], 300)

    def test_C8_what_is_in_force_is_what_fires(self):
        with Cluster(local_slots=1, catalog=CATALOG) as cluster:
            by_type, _, _ = cluster.run(of_type("hangs"))
            self.assertEqual(by_type.failure.reason,
                             Reason.REASON_STARTUP_TIMEOUT)
            self.assertGreaterEqual(
                by_type.attempts[0].evidence.age.ToNanoseconds(), 6e8)
            by_request, _, _ = cluster.run(
                of_type("hangs", startup=30, start_to_close=1))
            self.assertEqual(by_request.failure.reason,
                             Reason.REASON_START_TO_CLOSE_TIMEOUT)
            self.assertEqual(by_request.state, State.STATE_FAILED)

    def test_C8_the_maximum_is_a_setting(self):
        with Cluster(local_slots=1, flags=[
                "--timeout_max=700s", "--schedule_to_close=650s"]) as cluster:
            error = refused(cluster.jobs.SubmitJob, cluster.command(
                "/bin/true", inactivity=701))
            self.assertIn("spec.timeouts.inactivity_timeout", error.details())
            self.assertIn("11m40s", error.details())
            cluster.submit(cluster.command("/bin/true", inactivity=700))


if __name__ == "__main__":
    unittest.main()

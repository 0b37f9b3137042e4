"""Whose deadline holds (rows L4 and L5): the request's, else its task type's,
else the server's; with real programs and scaled-down clocks.
"""
import concurrent.futures
import unittest

import grpc

from deadline_case import DeadlineTestCase
from cluster import TASKS, Cluster, Reason

CATALOG = f"""
task_types {{
  name: "model"
  argv: "/usr/bin/python3"
  argv: "{TASKS}/talker.py"
  allow_arguments: true
  timeouts {{
    startup_timeout {{ seconds: 7 }}
    inactivity_timeout {{ nanos: 400000000 }}
    start_to_close_timeout {{ seconds: 50 }}
  }}
}}
"""


class DeadlineSettingsTest(DeadlineTestCase):

    catalog = CATALOG

    def refused(self, request):
        """The message of an INVALID_ARGUMENT."""
        with self.assertRaises(grpc.RpcError) as caught:
            self.cluster.submit(request)
        self.assertEqual(caught.exception.code(),
                         grpc.StatusCode.INVALID_ARGUMENT)
        return caught.exception.details()

    # --- L4: per request
    def test_L4_both_deadlines_can_be_set_per_request(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            patient = pool.submit(self.run_talker, "out:a", "2.5", "out:b",
                                  inactivity=60)
            strict = pool.submit(self.run_talker, "out:a", "2.5", "out:b",
                                 inactivity=0.5)
            short = pool.submit(self.run_talker, "out:a", "2.5", "out:b",
                                start_to_close=0.8)
            self.assert_succeeded(patient.result()[0])
            self.assert_failed(strict.result()[0],
                               Reason.REASON_INACTIVITY_TIMEOUT)
            self.assert_failed(short.result()[0],
                               Reason.REASON_START_TO_CLOSE_TIMEOUT)

    def test_L4_a_value_above_the_maximum_is_refused_not_clamped(self):
        day = 24 * 3600
        for name in ("startup", "inactivity", "start_to_close",
                     "schedule_to_close", "schedule_to_start", "progress"):
            with self.subTest(name):
                message = self.refused(
                    self.cluster.talker(**{name: day + 0.001}))
                self.assertIn(f"{name}_timeout", message)
                self.assertIn("24h", message)
                job = self.cluster.get(self.cluster.submit(
                    self.cluster.talker(**{name: day})))
                self.assertEqual(
                    getattr(job.spec.timeouts, f"{name}_timeout").seconds, day)

    def test_L4_the_maximum_is_a_setting(self):
        with Cluster(local_slots=0, flags=["--timeout_max=1000s",
                                           "--schedule_to_close=1000s"]) as own:
            with self.assertRaises(grpc.RpcError) as caught:
                own.submit(own.talker(inactivity=1001))
            self.assertIn("inactivity_timeout", caught.exception.details())
            own.submit(own.talker(inactivity=1000))

    # --- L5: nothing overrides a request
    def typed(self, *steps, **options):
        request = self.cluster.talker(**options)
        request.spec.ClearField("command")
        request.spec.task_type = "model"
        request.spec.arguments.extend(steps)
        return request

    def test_L5_a_task_types_table_never_overrides_the_request(self):
        # The type's inactivity is 0.4 s; the request's is what counts.
        job, _, _ = self.cluster.run(
            self.typed("out:a", "1.5", "out:b", inactivity=30, startup=31))
        self.assert_succeeded(job)
        timeouts = job.spec.timeouts
        self.assertEqual(timeouts.inactivity_timeout.seconds, 30)
        self.assertEqual(timeouts.startup_timeout.seconds, 31)
        # What the request leaves open is the type's, then the server's.
        self.assertEqual(timeouts.start_to_close_timeout.seconds, 50)
        self.assertEqual(timeouts.schedule_to_close_timeout.seconds, 24 * 3600)

    def test_L5_a_task_types_own_deadline_holds_without_a_request(self):
        job, _, _ = self.cluster.run(self.typed("out:a", "600"))
        self.assert_failed(job, Reason.REASON_INACTIVITY_TIMEOUT)
        self.assertEqual(job.spec.timeouts.inactivity_timeout.nanos, 400000000)

if __name__ == "__main__":
    unittest.main()

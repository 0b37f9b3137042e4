"""Proves that a job which would fail gives its fallback, and that nothing else
does (row B4): by every way to learn of its end, after a restart too, and
through the CLI. How: real programs that fail in ways of their own.
"""
import json
import unittest

import grpc
from cluster import PYTHON, Cluster, Reason, State, refused
from vigil.v1 import job_service_pb2

# Large enough to be no accident, and not UTF-8.
INPUT = bytes(range(256)) * 400


class FallbackTest(unittest.TestCase):

    def check(self, job, result, reason):
        """That the job is degraded, with this result and reason."""
        self.assertEqual(job.state, State.STATE_SUCCEEDED)
        self.assertTrue(job.degraded)
        self.assertFalse(job.HasField("failure"))
        self.assertEqual(job.fallback_failure.reason, reason)
        self.assertNotEqual(job.fallback_failure.message, "")
        self.assertEqual(job.result, result)

    def failing(self, cluster, *argv, **options):
        """A job of INPUT whose fallback is that."""
        request = cluster.command(*(argv or ("/bin/false",)), input=INPUT,
                                  **options)
        request.spec.fallback.input = True
        return request

    def test_B4_whatever_fails_leaves_the_input_or_a_value(self):
        ways = [
            (("/bin/sh", "-c", "exit 3"), {}, Reason.REASON_NONZERO_EXIT),
            (("/bin/sh", "-c", "exit 65"), {}, Reason.REASON_INVALID_INPUT),
            (("/bin/sh", "-c", "kill -9 $$"), {}, Reason.REASON_SIGNALLED),
            (("/no/such/program",), {}, Reason.REASON_SPAWN_FAILED),
            (("/bin/sh", "-c", "echo x; exec sleep 600"),
             {"inactivity": 0.3, "shutdown_grace": 0},
             Reason.REASON_INACTIVITY_TIMEOUT),
            ((PYTHON, "-c", "import os; os.fork(); os.fork()"), {},
             Reason.REASON_NESTED_POOL),
        ]
        with Cluster(local_slots=1) as cluster:
            for argv, options, reason in ways:
                with self.subTest(argv=argv):
                    request = self.failing(cluster, *argv, **options)
                    job, _, _ = cluster.run(request)
                    self.check(job, INPUT, reason)
                    self.assertEqual(job.attempts[-1].failure.reason, reason)
                    request.spec.fallback.value = b"instead"
                    job, _, _ = cluster.run(request)
                    self.check(job, b"instead", reason)
            self.assertEqual(cluster.get_status().fallbacks, 2 * len(ways))

    def test_B4_a_job_that_no_worker_takes_has_it_too(self):
        with Cluster(local_slots=0) as cluster:
            job, _, _ = cluster.run(
                self.failing(cluster, schedule_to_start=0.3))
            self.check(job, INPUT, Reason.REASON_SCHEDULE_TO_START_TIMEOUT)
            self.assertEqual(len(job.attempts), 0)

    def test_B4_success_other_reasons_and_a_cancel_have_none(self):
        with Cluster(local_slots=1) as cluster:
            job, _, _ = cluster.run(self.failing(cluster, "/bin/true"))
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            self.assertFalse(job.degraded)
            self.assertFalse(job.HasField("result"))
            request = self.failing(cluster)
            request.spec.fallback.fallback_on.append(Reason.REASON_SIGNALLED)
            job, _, _ = cluster.run(request)
            self.assertEqual(job.state, State.STATE_FAILED)
            self.assertFalse(job.HasField("result"))
            job_id = cluster.submit(
                self.failing(cluster, "/bin/sleep", 600, shutdown_grace=0))
            cluster.cancel(job_id)
            job = cluster.finish(job_id)
            self.assertEqual(job.state, State.STATE_CANCELLED)
            self.assertFalse(job.degraded)
            self.assertEqual(cluster.get_status().fallbacks, 0)

    def test_B4_it_survives_restarts_before_and_after_the_end(self):
        with Cluster(local_slots=0) as cluster:
            request = self.failing(cluster, schedule_to_close=2)
            request.spec.fallback.value = b"kept"
            job_id = cluster.submit(request)
            # The program is in the store only, and a watch gets its result.
            cluster.kill()
            cluster.start()
            for response in cluster.jobs.WatchJob(
                    job_service_pb2.WatchJobRequest(job_id=job_id)):
                last = response.event.job
            self.check(last, b"kept", Reason.REASON_SCHEDULE_TO_CLOSE_TIMEOUT)
            cluster.kill()
            cluster.start()
            self.check(cluster.get(job_id), b"kept",
                       Reason.REASON_SCHEDULE_TO_CLOSE_TIMEOUT)
            # Its value is part of the program: shown on request only.
            shown = cluster.jobs.GetJob(job_service_pb2.GetJobRequest(
                job_id=job_id, include_input=True)).job
            self.assertEqual(shown.spec.fallback.value, b"kept")
            self.assertEqual(shown.spec.input, INPUT)
            self.assertFalse(shown.HasField("result"))
            self.assertEqual(cluster.get(job_id).spec.fallback.value, b"")
            listed = cluster.list_jobs()[0]
            self.assertTrue(listed.degraded)
            self.assertFalse(listed.HasField("result"))

    def test_B4_a_fallback_that_cannot_be_is_refused(self):
        with Cluster(local_slots=0) as cluster:
            request = cluster.command("/bin/true")
            request.spec.fallback.input = True
            error = refused(cluster.jobs.SubmitJob,
                            job_service_pb2.SubmitJobRequest(
                                spec=request.spec))
            self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
            self.assertIn("spec.fallback.input", error.details())

    def test_B4_the_command_line_says_what_it_is(self):
        with Cluster(local_slots=1) as cluster:
            ran = cluster.vigil("run", "--fallback=value:instead", "--",
                                "/bin/false")
            self.assertEqual(ran.returncode, 0, ran.stderr)
            self.assertEqual(ran.stdout, b"instead")
            self.assertIn(b"the result is its fallback", ran.stderr)
            self.assertIn(b"NONZERO_EXIT", ran.stderr)
            job_id = cluster.list_jobs()[0].job_id
            explained = cluster.vigil("explain", job_id).stdout
            self.assertIn(b"its result is a fallback; it would have failed: "
                          b"NONZERO_EXIT", explained)
            self.assertEqual(
                cluster.vigil("explain", "--result", job_id).stdout,
                b"instead")
            self.assertEqual(cluster.status_json()["fallbacks"], "1")
            batch = cluster.vigil(
                "batch", "-o", "json", "--input={}", "--fallback=input", "--",
                "/bin/sh", "-c", 'read x; test "$x" != bad',
                input=b"good\nbad\n", stdin=None)
            self.assertEqual(batch.returncode, 0, batch.stderr)
            good, bad = sorted(
                map(json.loads, batch.stdout.decode().splitlines()),
                key=lambda item: item["index"])
            self.assertNotIn("degraded", good)
            self.assertEqual((bad["state"], bad["degraded"], bad["reason"],
                              bad["result"].strip()),
                             ("SUCCEEDED", True, "NONZERO_EXIT", "bad"))
            wrong = cluster.vigil("run", "--fallback=nonsense", "--",
                                  "/bin/true")
            self.assertEqual(wrong.returncode, 125)
            self.assertIn(b"neither `input` nor `value:TEXT`", wrong.stderr)
            wrong = cluster.vigil("run", "--fallback_on=SIGNALLED", "--",
                                  "/bin/true")
            self.assertEqual(wrong.returncode, 125)
            self.assertIn(b"give it by --fallback", wrong.stderr)


if __name__ == "__main__":
    unittest.main()

"""Bad requests: each is refused with a status, the field and what to do, by API
and command line, and leaves nothing behind. Programs that cannot be started
end their job with a typed reason.
"""
import errno
import os
import unittest

import grpc
from cluster import Cluster, Reason, State, refused
from vigil.v1 import job_service_pb2, worker_service_pb2

INVALID = grpc.StatusCode.INVALID_ARGUMENT
CLOCKS = ("startup", "inactivity", "progress", "start_to_close",
          "schedule_to_start", "schedule_to_close")
DAY = 24 * 3600
# The longest that a google.protobuf.Duration may be, in seconds.
LONGEST = 315_576_000_000


class BadRequestTest(unittest.TestCase):

    def setUp(self):
        self.cluster = Cluster(local_slots=1)
        self.cluster.__enter__()
        self.addCleanup(self.cluster.stop)

    def assert_refused(self, call, request, code, *texts):
        error = refused(call, request)
        self.assertEqual(error.code(), code, error.details())
        for text in texts:
            self.assertIn(text, error.details())

    def assert_not_submitted(self, request, *texts, code=INVALID):
        """Refused by SubmitJob and RunJob, and no job was made."""
        self.assert_refused(self.cluster.jobs.SubmitJob, request, code, *texts)
        self.assert_refused(
            lambda run: list(self.cluster.jobs.RunJob(run)),
            job_service_pb2.RunJobRequest(job=request), code, *texts)
        self.assertEqual(self.cluster.list_jobs(), [])

    # --- what to run
    def test_refuses_an_empty_argv(self):
        for request in (self.cluster.command(), self.cluster.command("")):
            self.assert_not_submitted(request, "spec.command.argv", "empty")
        ended = self.cluster.vigil("run", "--")
        self.assertEqual(ended.returncode, 125)
        self.assertIn(b"nothing to run", ended.stderr)

    def test_refuses_a_job_that_is_nothing_or_two_things(self):
        both = self.cluster.command("/bin/true")
        both.spec.task_type = "some-type"
        self.assert_not_submitted(job_service_pb2.SubmitJobRequest(),
                                  "task_type", "command")
        error = refused(self.cluster.jobs.SubmitJob, both)
        self.assertIn(error.code(), (INVALID, grpc.StatusCode.NOT_FOUND))

    def test_refuses_nul_bytes_and_too_many_arguments(self):
        self.assert_not_submitted(self.cluster.command("/bin/echo", "a\0b"),
                                  "spec.command.argv[1]", "NUL")
        self.assert_not_submitted(
            self.cluster.command("/bin/echo", *["x"] * 4096), "4096")
        self.assert_not_submitted(
            self.cluster.command("/bin/echo", "x" * (1 << 20)), "1048576")

    def test_refuses_an_unknown_task_type(self):
        request = job_service_pb2.SubmitJobRequest()
        request.spec.task_type = "unheard-of"
        self.assert_not_submitted(request, "unheard-of", "catalog",
                                  code=grpc.StatusCode.NOT_FOUND)
        ended = self.cluster.vigil("run", "--task_type=unheard-of")
        self.assertEqual(ended.returncode, 125)
        self.assertIn(b"unheard-of", ended.stderr)
        request.spec.task_type = "no such name"
        self.assert_not_submitted(request, "spec.task_type")

    def assert_not_started(self, program, errno_, exit_status):
        job, _, _ = self.cluster.run(self.cluster.command(program))
        self.assertEqual(job.state, State.STATE_FAILED)
        self.assertEqual(job.failure.reason, Reason.REASON_SPAWN_FAILED)
        self.assertIn(str(program), job.failure.message)
        self.assertIn(os.strerror(errno_), job.failure.message)
        self.assertEqual(len(job.attempts), 1)
        self.assertEqual(job.attempts[0].spawn_errno, errno_)
        ended = self.cluster.vigil("run", "--", program)
        self.assertEqual(ended.returncode, exit_status, ended.stderr)
        last = ended.stderr.decode().splitlines()[-1]
        self.assertRegex(last, r"^vigil: job \S+ FAILED: SPAWN_FAILED: ")

    def test_a_program_that_is_not_found_ends_the_job_at_once(self):
        self.assert_not_started("/no/such/program", errno.ENOENT, 127)
        self.assert_not_started("no-such-program", errno.ENOENT, 127)

    def test_a_program_that_cannot_be_executed_ends_the_job_at_once(self):
        plain = self.cluster.dir / "plain"
        plain.write_text("#!/bin/sh\n")
        self.assert_not_started(plain, errno.EACCES, 126)
        self.assert_not_started(self.cluster.dir, errno.EACCES, 126)
        garbage = self.cluster.dir / "garbage"
        garbage.write_bytes(b"\x01\x02\x03")
        garbage.chmod(0o755)
        self.assert_not_started(garbage, errno.ENOEXEC, 126)

    def test_a_working_directory_that_is_not_there_is_named(self):
        request = self.cluster.command("/bin/true")
        request.spec.command.working_directory = "/no/such/directory"
        job, _, _ = self.cluster.run(request)
        self.assertEqual(job.failure.reason, Reason.REASON_SPAWN_FAILED)
        self.assertIn("/no/such/directory", job.failure.message)
        request.spec.command.working_directory = "relative"
        self.assert_refused(self.cluster.jobs.SubmitJob, request, INVALID,
                            "spec.command.working_directory", "absolute")

    # --- sizes
    def test_refuses_an_input_above_3_mib_and_takes_one_of_3_mib(self):
        request = self.cluster.command("/usr/bin/wc", "-c")
        request.spec.input = bytes((3 << 20) + 1)
        self.assert_not_submitted(request, "spec.input", str(3 << 20))
        request.spec.input = bytes(3 << 20)
        _, out, _ = self.cluster.run(request)
        self.assertEqual(int(out), 3 << 20)

    def test_refuses_a_message_above_the_cap_of_grpc(self):
        request = self.cluster.command("/bin/cat")
        request.spec.input = bytes(5 << 20)
        error = refused(self.cluster.jobs.SubmitJob, request)
        self.assertEqual(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        # The connection and everybody else's work go on.
        self.assertEqual(self.cluster.list_jobs(), [])
        job, _, _ = self.cluster.run(self.cluster.command("/bin/true"))
        self.assertEqual(job.state, State.STATE_SUCCEEDED)

    def test_the_command_line_refuses_an_input_above_3_mib(self):
        big = self.cluster.dir / "big"
        big.write_bytes(bytes((3 << 20) + 1))
        ended = self.cluster.vigil("run", f"--stdin={big}", "--", "/bin/cat")
        self.assertEqual(ended.returncode, 125)
        self.assertIn(str(3 << 20).encode(), ended.stderr)
        self.assertEqual(self.cluster.list_jobs(), [])

    def test_refuses_too_much_environment_and_too_many_labels(self):
        self.assert_not_submitted(
            self.cluster.command("/bin/true", env={"BIG": "x" * (256 << 10)}),
            "spec.command.env", str(256 << 10))
        self.assert_not_submitted(
            self.cluster.command("/bin/true", env={"A=B": "c"}),
            "spec.command.env", "A=B")
        self.assert_not_submitted(
            self.cluster.command("/bin/true", labels={
                f"key{i}": "" for i in range(33)}), "spec.labels", "32")

    # --- clocks
    def test_refuses_durations_that_are_negative_zero_or_huge(self):
        for name in CLOCKS:
            field = f"spec.timeouts.{name}_timeout"
            for value, text in ((-1, "negative"), (-1e-9, "negative"),
                                (0, "at least"),
                                (DAY + 1e-3, "24h"), (LONGEST, "24h")):
                with self.subTest(clock=name, value=value):
                    self.assert_refused(
                        self.cluster.jobs.SubmitJob,
                        self.cluster.command("/bin/true", **{name: value}),
                        INVALID, field, text)
        for value, text in ((-1, "negative"), (DAY + 1, "24h")):
            self.assert_refused(
                self.cluster.jobs.SubmitJob,
                self.cluster.command("/bin/true", shutdown_grace=value),
                INVALID, "spec.timeouts.shutdown_grace", text)
        self.assertEqual(self.cluster.list_jobs(), [])

    def test_refuses_what_is_not_a_duration_at_all(self):
        for seconds, nanos in ((1 << 62, 0), (1, -1), (0, 2_000_000_000)):
            request = self.cluster.command("/bin/true")
            request.spec.timeouts.inactivity_timeout.seconds = seconds
            request.spec.timeouts.inactivity_timeout.nanos = nanos
            self.assert_not_submitted(
                request, "spec.timeouts.inactivity_timeout",
                "google.protobuf.Duration")

    def test_takes_the_largest_and_the_smallest_duration(self):
        for value in (DAY, 1e-9):
            self.cluster.submit(self.cluster.command(
                "/bin/true", **{name: value for name in CLOCKS}))
        job, _, _ = self.cluster.run(self.cluster.command(
            "/bin/true", shutdown_grace=0))
        self.assertEqual(job.state, State.STATE_SUCCEEDED)

    def test_the_command_line_refuses_durations_too(self):
        for value in ("-1s", "0s", "25h", "tomorrow", "inf", ""):
            with self.subTest(value=value):
                ended = self.cluster.vigil(
                    "run", f"--inactivity={value}", "--", "/bin/true")
                self.assertEqual(ended.returncode, 125)
                self.assertIn(b"inactivity", ended.stderr)
        self.assertEqual(self.cluster.list_jobs(), [])

    def test_refuses_bad_retry_policies(self):
        for options, field in (
                ({"maximum_attempts": 0}, "maximum_attempts"),
                ({"maximum_attempts": 101}, "maximum_attempts"),
                ({"initial_interval": 0}, "initial_interval"),
                ({"maximum_interval": DAY + 1}, "maximum_interval"),
                ({"jitter": 1.5}, "jitter"),
                ({"jitter": float("nan")}, "jitter"),
                ({"backoff_coefficient": 0.5}, "backoff_coefficient"),
                ({"retry_on": [Reason.REASON_CANCELLED]}, "retry_on")):
            self.assert_not_submitted(
                self.cluster.command("/bin/true", **options),
                f"spec.retry.{field}")

    def test_refuses_patterns_that_are_none(self):
        self.assert_not_submitted(
            self.cluster.command("/bin/true", ready_pattern="("),
            "spec.activity.ready_pattern", "RE2")
        self.assert_not_submitted(
            self.cluster.command("/bin/true", progress_pattern=r"\d+"),
            "spec.activity.progress_pattern", "group")

    # --- ids, cursors and tokens
    def test_an_unknown_job_is_not_found_by_every_call(self):
        jobs = self.cluster.jobs
        pb = job_service_pb2
        for job_id in ("none", "", "x" * 5000, "../etc"):
            for call, request in (
                    (jobs.GetJob, pb.GetJobRequest(job_id=job_id)),
                    (jobs.CancelJob, pb.CancelJobRequest(job_id=job_id)),
                    (jobs.ReadOutput, pb.ReadOutputRequest(job_id=job_id)),
                    (lambda r: list(jobs.WatchJob(r)),
                     pb.WatchJobRequest(job_id=job_id))):
                error = refused(call, request)
                self.assertIn(error.code(),
                              (grpc.StatusCode.NOT_FOUND, INVALID))
        ended = self.cluster.vigil("explain", "none")
        self.assertEqual(ended.returncode, 4)
        self.assertIn(b"no job 'none'", ended.stderr)
        self.assert_refused(
            self.cluster.worker_service.GetWorker,
            worker_service_pb2.GetWorkerRequest(worker_id="none"),
            grpc.StatusCode.NOT_FOUND)

    def test_a_job_of_another_namespace_is_not_found(self):
        job_id = self.cluster.jobs.SubmitJob(self.cluster.command(
            "/bin/true", namespace="mine")).job.job_id
        self.assert_refused(
            self.cluster.jobs.GetJob,
            job_service_pb2.GetJobRequest(job_id=job_id),
            grpc.StatusCode.NOT_FOUND, "namespace default")
        self.assert_refused(
            self.cluster.jobs.SubmitJob,
            self.cluster.command("/bin/true", namespace="no spaces"), INVALID,
            "namespace")

    def test_refuses_a_bad_cursor(self):
        ids = [self.cluster.submit(self.cluster.command("/bin/echo", i))
               for i in range(2)]
        cursors = []
        for job_id in ids:
            self.cluster.finish(job_id)
            events = list(self.cluster.jobs.WatchJob(
                job_service_pb2.WatchJobRequest(job_id=job_id)))
            cursors.append(events[0].event.cursor)
        for cursor in (b"damaged", cursors[1], b"\xff" * 256,
                       cursors[0][:-1]):
            self.assert_refused(
                lambda request: list(self.cluster.jobs.WatchJob(request)),
                job_service_pb2.WatchJobRequest(job_id=ids[0], cursor=cursor),
                INVALID, "cursor")

    def test_refuses_a_bad_page_token(self):
        job_id = self.cluster.submit(self.cluster.command(
            "/bin/sh", "-c", "echo out; sleep 0.2; echo err >&2"))
        self.cluster.finish(job_id)
        self.cluster.submit(self.cluster.command("/bin/true"))
        pb = job_service_pb2
        token = self.cluster.jobs.ListJobs(
            pb.ListJobsRequest(page_size=1)).next_page_token
        self.assertTrue(token)
        self.assertEqual(len(self.cluster.list_jobs(page_size=1)), 2)
        for request in (
                pb.ListJobsRequest(page_token="damaged"),
                pb.ListJobsRequest(page_token=token, page_size=2),
                pb.ListJobsRequest(page_token=token, page_size=1,
                                   namespace="other")):
            self.assert_refused(self.cluster.jobs.ListJobs, request, INVALID,
                                "page_token")
        self.assert_refused(
            self.cluster.jobs.ReadOutput,
            pb.ReadOutputRequest(job_id=job_id, page_token="damaged"),
            INVALID, "page_token")
        self.assert_refused(
            self.cluster.worker_service.ListWorkers,
            worker_service_pb2.ListWorkersRequest(page_token="damaged"),
            INVALID, "page_token")

    def test_refuses_page_sizes_out_of_bounds(self):
        job_id = self.cluster.submit(self.cluster.command("/bin/true"))
        pb = job_service_pb2
        for size in (-1, 1001):
            self.assert_refused(self.cluster.jobs.ListJobs,
                                pb.ListJobsRequest(page_size=size), INVALID,
                                "page_size", "1000")
            self.assert_refused(
                self.cluster.worker_service.ListWorkers,
                worker_service_pb2.ListWorkersRequest(page_size=size),
                INVALID, "page_size", "1000")
        for size in (-1, (3 << 20) + 1):
            self.assert_refused(
                self.cluster.jobs.ReadOutput,
                pb.ReadOutputRequest(job_id=job_id, size_bytes_max=size),
                INVALID, "size_bytes_max")


if __name__ == "__main__":
    unittest.main()

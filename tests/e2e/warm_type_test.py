"""What a task type says of its warm tasks, and what an `error` says of its job:
results that are checked, texts that name a reason, waits that the task asks
for, a device for each slot, and frames in protobuf.
"""
import base64
import os
import unittest

import grpc
from cluster import Phase, Reason, State, refused
from deadline_case import seconds
from vigil.v1 import catalog_pb2, job_service_pb2
from warm_case import (
    STARTED, WarmTestCase, failed, job_of, raw_type, result)

TaskType = catalog_pb2.TaskType

# The example of deploy/examples, in C++ with the helper for it.
FACTORS = TaskType(
    name="factors", frames=TaskType.FRAMES_PROTOBUF,
    argv=[os.path.abspath("deploy/examples/warm_task"), "{catalog_dir}/marker"])


def data(value):
    """A `result` frame of bytes."""
    return {"result": {"data": base64.b64encode(value).decode()}}


class ResultTest(WarmTestCase):

    types = tuple(
        raw_type(name, result_validator=getattr(
            TaskType, f"RESULT_VALIDATOR_{name.upper()}"))
        for name in ("nonempty", "utf8", "json")
    ) + (raw_type("any"),)

    def check(self, task_type, good, bad):
        """Runs a job for each value; the bad ones must be refused."""
        for value in good:
            job, _, _ = self.run_steps(task_type, STARTED, data(value))
            self.assert_succeeded(job, value)
        pid = self.pid_of(task_type, job.job_id)
        for value, why in bad:
            with self.subTest(value):
                job, _, _ = self.run_steps(task_type, STARTED, data(value))
                self.assert_failed(job, Reason.REASON_INVALID_RESULT, why)
                self.assertFalse(job.HasField("result"))
                self.assertFalse(job.HasField("partial_result"))
                self.assertEqual(len(job.attempts), 1)
                # The process is not to blame beyond that.
                self.assertEqual(self.pid_of(task_type, job.job_id), pid)

    def test_B4_a_result_may_be_anything_unless_something_is_asked_for(self):
        self.check("any", [b"", b"\xff\xfe", b"{", b"text\0"], [])

    def test_B4_nonempty(self):
        self.check("nonempty", [b" ", b"\xff"], [(b"", "is empty")])

    def test_B4_utf8(self):
        self.check("utf8", ["Grüße".encode(), b"{"],
                   [(b"", "is empty"), (b"a\xff", "is not UTF-8")])

    def test_B4_json(self):
        self.check("json", [b"{}", b'{"a": [1, null, "b"]}', b"3", b'"text"'],
                   [(b"", "is empty"), (b"{", "is not JSON"),
                    (b"\xff", "is not UTF-8"), (b"{} {}", "is not JSON")])

    def test_B4_an_invalid_result_may_be_retried(self):
        job, _, _ = self.run_steps(
            "json", STARTED, ["upto", 1, result("{")], result("{}"),
            retry_on=[Reason.REASON_INVALID_RESULT])
        self.assert_succeeded(job, b"{}")


class ErrorTest(WarmTestCase):

    types = (raw_type("task", reason_patterns=[
        {"pattern": "CUDA out of memory",
         "reason": Reason.REASON_OUT_OF_MEMORY},
        {"pattern": r"^bad token \d+",
         "reason": Reason.REASON_INVALID_INPUT}]),)

    def fail(self, *steps, **options):
        """Runs steps and returns the reason with which the job failed."""
        job, _, _ = self.run_steps("task", STARTED, *steps, **options)
        self.assertEqual(job.state, State.STATE_FAILED, job)
        return job.failure.reason

    def test_B3_the_text_of_an_error_names_its_reason(self):
        for message, reason in (
                ("RuntimeError: CUDA out of memory. Tried to allocate",
                 Reason.REASON_OUT_OF_MEMORY),
                ("bad token 7", Reason.REASON_INVALID_INPUT),
                ("not a bad token 7", Reason.REASON_TASK_ERROR),
                ("RuntimeError: can't start new thread",
                 Reason.REASON_RESOURCE_EXHAUSTED),
                ("anything else", Reason.REASON_TASK_ERROR)):
            with self.subTest(message):
                self.assertEqual(
                    self.fail(failed(message), maximum_attempts=1), reason)

    def test_B3_so_does_stderr_of_a_process_that_dies_of_it(self):
        self.assertEqual(
            self.fail(["warn", "CUDA out of memory"], ["exit", 1]),
            Reason.REASON_OUT_OF_MEMORY)

    def test_B3_stderr_of_an_earlier_job_says_nothing_of_this_one(self):
        job, _, _ = self.run_steps(
            "task", STARTED, ["warn", "CUDA out of memory"], result())
        self.assert_succeeded(job)
        self.assertEqual(self.fail(["exit", 1]), Reason.REASON_NONZERO_EXIT)

    def test_B2_the_tasks_own_reason_wins(self):
        self.assertEqual(
            self.fail(failed("CUDA out of memory",
                             reason="REASON_INVALID_INPUT")),
            Reason.REASON_INVALID_INPUT)

    def test_B2_reasons_that_are_not_a_tasks_to_give(self):
        for reason in ("REASON_CANCELLED", "REASON_WORKER_LOST",
                       "REASON_INTERNAL"):
            self.assertEqual(self.fail(failed("x", reason=reason)),
                             Reason.REASON_TASK_ERROR)

    def test_B3_exhaustion_is_retried_and_a_task_error_only_if_it_says_so(self):
        quick = {"initial_interval": 0.01}
        for error, attempts in (
                (failed("x", reason="REASON_RESOURCE_EXHAUSTED"), 2),
                (failed("x", retryable=True), 2),
                (failed("x"), 1),
                (failed("x", reason="REASON_INVALID_INPUT"), 1)):
            with self.subTest(error):
                job, _, _ = self.run_steps(
                    "task", STARTED, ["upto", 1, error], result(), **quick)
                self.assertEqual(len(job.attempts), attempts)

    def wait_between(self, job):
        """Between the first attempt and the second, in seconds."""
        return (seconds(job.attempts[1].assign_time) -
                seconds(job.attempts[0].end_time))

    def retry_after(self, delay, **options):
        """Runs a job whose first attempt asks for a delay."""
        job, _, _ = self.run_steps("task", STARTED, ["upto", 1, failed(
            "busy", retryable=True, next_retry_delay=delay)], result(),
                                   jitter=0, **options)
        self.assert_succeeded(job)
        return self.wait_between(job)

    def test_B3_next_retry_delay_takes_the_place_of_the_backoff(self):
        self.assertGreaterEqual(
            self.retry_after("1.5s", initial_interval=0.01), 1.49)
        # And shortens it: the backoff would take ten minutes.
        self.assertLess(self.retry_after("0.1s", initial_interval=600), 60)

    def test_B3_next_retry_delay_alone_is_no_retry(self):
        self.assertEqual(self.fail(failed("x", next_retry_delay="0.1s")),
                         Reason.REASON_TASK_ERROR)


class PlaceTest(WarmTestCase):

    types = (
        raw_type("task", env={"DEVICE": "gpu${SLOT}", "PLAIN": "$SLOT"}),
        catalog_pb2.TaskType(name="command", argv=["/usr/bin/env"],
                             env={"DEVICE": "gpu${SLOT}"}),
    )

    def test_A11_each_slot_has_a_number_to_name_its_device(self):
        go = self.flag()
        ids = [self.submit_steps("task", STARTED, ["wait", str(go)],
                                 ["env", "DEVICE"], ["env", "PLAIN"], result())
               for _ in range(2)]
        for job_id in ids:
            self.cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        go.touch()
        outputs = set()
        for job_id in ids:
            self.cluster.finish(job_id)
            pieces = self.cluster.jobs.ReadOutput(
                job_service_pb2.ReadOutputRequest(job_id=job_id)).output
            outputs.add(b"".join(piece.data for piece in pieces))
        self.assertEqual(outputs, {b"gpu0$SLOT", b"gpu1$SLOT"})

    def test_A11_a_command_has_it_too(self):
        request = job_service_pb2.SubmitJobRequest()
        request.spec.task_type = "command"
        _, out, _ = self.cluster.run(request)
        self.assertRegex(out, rb"(?m)^DEVICE=gpu[01]$")

    def test_A12_what_a_warm_task_cannot_have_is_refused_by_name(self):
        for field, value, code in (
                ("pty", True, grpc.StatusCode.INVALID_ARGUMENT),
                ("ready_pattern", "x", grpc.StatusCode.INVALID_ARGUMENT),
                ("progress_pattern", "x", grpc.StatusCode.INVALID_ARGUMENT)):
            with self.subTest(field):
                error = refused(self.cluster.jobs.SubmitJob,
                                job_of("task", [STARTED], **{field: value}))
                self.assertEqual(error.code(), code)
                self.assertIn(field, error.details())
        request = job_of("task", [STARTED])
        request.spec.arguments.append("x")
        error = refused(self.cluster.jobs.SubmitJob, request)
        self.assertEqual(error.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertIn("arguments", error.details())


class ProtobufTest(WarmTestCase):

    types = (FACTORS,)

    def factor(self, text, **options):
        """Runs the example to its end."""
        return self.cluster.run(job_of("factors", text, **options))

    def test_A11_a_task_in_cpp_that_speaks_protobuf(self):
        job, out, err = self.factor(b"12 97 9999991")
        self.assert_succeeded(job, b"3 numbers")
        self.assertEqual((out, err),
                         (b"12: 2 2 3\n97: 97\n9999991: 9999991\n", b""))
        self.assertEqual(job.attempts[0].progress.done, 3)
        self.assertEqual(job.attempts[0].tokens, 3)

    def test_A11_its_errors_are_its_own_and_it_stays(self):
        job, _, _ = self.factor(b"12 twelve")
        self.assert_failed(job, Reason.REASON_INVALID_INPUT,
                           "twelve is not 2 to 10000000")
        self.wait_warm("factors", 1)
        job, _, _ = self.factor(b"6")
        self.assert_succeeded(job, b"1 numbers")
        self.wait_warm("factors", 1)

    def test_A7_it_is_stopped_in_the_middle_and_stays(self):
        job_id = self.cluster.submit(job_of(
            "factors", b"8388608 " * 380000, shutdown_grace=60))
        self.cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assertEqual(job.state, State.STATE_CANCELLED)
        self.assertRegex(job.partial_result, rb"^\d+ numbers$")
        self.assertLess(int(job.partial_result.split()[0]), 380000)
        self.assertFalse(job.attempts[0].HasField("exit"))


if __name__ == "__main__":
    unittest.main()

"""Proves that slow chunks end the rest of a job and that what was done is kept
(row C3): a chunk past its timeout is stopped while it runs, too many slow ones
in a row after the last of them, and neither touches a job that finishes. How:
warm tasks, and commands with progress lines, that stop where they are told to.
"""
import json
import os
import unittest

import grpc
from cluster import PYTHON, TASKS, Cluster, Phase, Reason, State, refused
from deadline_case import seconds
from vigil.v1 import catalog_pb2
from warm_case import (
    FOR_EVER, JSON, STARTED, WarmTestCase, checkpoint, duration, job_of,
    progress, raw_type, result, token)

# What a chunk is expected to take, in seconds, and one that takes longer. Fast
# ones take far less, for a busy machine.
EXPECTED = 1.0
SLOW = ["sleep", 1.3]

GRACE = {"shutdown_grace": duration(30)}
COOPERATIVE = catalog_pb2.TaskType(
    name="cooperative", frames=JSON, timeouts=GRACE,
    argv=[PYTHON, f"{TASKS}/cooperative_task.py", "{catalog_dir}/marker"],
    env={"PYTHONPATH": os.path.abspath("client/python")})


def chunked(request, **policy):
    """The request with a chunk policy; times in seconds."""
    chunks = request.spec.chunk_policy
    chunks.SetInParent()
    for name, value in policy.items():
        if name == "max_consecutive_slow_chunks":
            setattr(chunks, name, value)
        else:
            getattr(chunks, name).FromNanoseconds(round(value * 1e9))
    return request


class ChunkPolicyTest(WarmTestCase):

    types = (raw_type("task", timeouts=GRACE),
             raw_type("chunky", timeouts=GRACE,
                      chunk_policy={"chunk_timeout": duration(0.5)}),
             COOPERATIVE)

    def run_chunks(self, *steps, task_type="task", policy=None, **options):
        """Runs a warm job with a chunk policy; returns it."""
        request = job_of(task_type, [STARTED, *steps], **options)
        if policy:
            chunked(request, **policy)
        return self.cluster.run(request)[0]

    def run_talker(self, *steps, policy, **options):
        """Runs a command with a chunk policy: the job and its stdout."""
        request = self.cluster.talker(*steps, **options)
        job, out, _ = self.cluster.run(chunked(request, **policy))
        return job, out

    def assert_truncated(self, job, done, total, text):
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        self.assertTrue(job.truncated)
        self.assertFalse(job.HasField("failure"))
        self.assertFalse(job.degraded)
        self.assertFalse(job.HasField("checkpoint"))
        truncation = job.truncation
        self.assertEqual(truncation.failure.reason, Reason.REASON_SLOW_CHUNKS)
        self.assertIn(text, truncation.failure.message)
        self.assertEqual((truncation.chunks_done, truncation.chunks_total),
                         (done, total))
        self.assertEqual(job.attempts[-1].failure.reason,
                         Reason.REASON_SLOW_CHUNKS)

    def assert_whole(self, job):
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        self.assertFalse(job.truncated, job.truncation)
        self.assertFalse(job.HasField("truncation"))

    # --- one chunk
    def test_C3_a_chunk_past_its_timeout_is_stopped_while_it_runs(self):
        job = self.run_chunks(progress(1, 4), progress(2, 4), ["stop"],
                              result("two"), policy={"chunk_timeout": 0.5})
        self.assert_truncated(job, 2, 4, "(chunk_timeout 500ms)")
        self.assertEqual(job.result, b"two")
        self.assertFalse(job.HasField("partial_result"))
        # Its process was asked, and stays.
        self.assertFalse(job.attempts[0].HasField("exit"))
        self.assertLess(seconds(job.attempts[0].evidence.age), 15)

    def test_C3_a_policy_without_times_has_its_defaults(self):
        request = chunked(job_of("task", [STARTED, progress(1, 1), result()]))
        job, _, _ = self.cluster.run(request)
        self.assert_whole(job)
        self.assertEqual(seconds(job.spec.chunk_policy.chunk_timeout), 30)
        self.assertFalse(
            job.spec.chunk_policy.HasField("expected_chunk_time"))

    def test_C3_a_task_type_has_a_policy_and_a_request_wins_over_it(self):
        steps = [progress(1, 2), ["stop"], result("one")]
        job = self.run_chunks(*steps, task_type="chunky")
        self.assert_truncated(job, 1, 2, "(chunk_timeout 500ms)")
        job = self.run_chunks(progress(1, 2), SLOW, progress(2, 2), result(),
                              task_type="chunky", policy={"chunk_timeout": 60})
        self.assert_whole(job)

    # --- several
    def test_C3_two_slow_chunks_stop_the_rest(self):
        job = self.run_chunks(
            SLOW, progress(1, 4), SLOW, progress(2, 4), ["stop"],
            result("two"),
            policy={"expected_chunk_time": EXPECTED, "chunk_timeout": 60})
        self.assert_truncated(job, 2, 4, "2 in a row were slower than expected")
        self.assertEqual(job.result, b"two")

    def test_C3_a_fast_chunk_in_between_begins_the_count_anew(self):
        job = self.run_chunks(
            SLOW, progress(1), progress(2), SLOW, progress(3), ["sleep", 0.3],
            progress(4), result("all"),
            policy={"expected_chunk_time": EXPECTED, "chunk_timeout": 60})
        self.assert_whole(job)
        self.assertEqual(job.result, b"all")

    def test_C3_the_last_chunk_truncates_nothing(self):
        job = self.run_chunks(
            SLOW, progress(1, 2), SLOW, progress(2, 2), SLOW, result("all"),
            policy={"expected_chunk_time": EXPECTED, "chunk_timeout": 60})
        self.assert_whole(job)
        self.assertEqual(job.result, b"all")

    # --- what is kept
    def test_C3_the_last_checkpoint_is_kept_of_one_that_cannot_answer(self):
        job = self.run_chunks(
            checkpoint("state"), progress(1, 4), FOR_EVER,
            policy={"chunk_timeout": 0.5}, shutdown_grace=0.1)
        self.assert_truncated(job, 1, 4, "chunk_timeout")
        self.assertEqual(job.result, b"state")
        # Also for whoever comes later.
        self.cluster.kill()
        self.cluster.start()
        job = self.cluster.get(job.job_id)
        self.assert_truncated(job, 1, 4, "chunk_timeout")
        self.assertEqual(job.result, b"state")

    def test_C3_so_is_one_that_an_earlier_attempt_left(self):
        job = self.run_chunks(
            ["upto", 1, checkpoint("state"), progress(3, 4), token("x"),
             ["kill", 9]],
            FOR_EVER, policy={"chunk_timeout": 0.5}, shutdown_grace=0.1,
            retry_on=[Reason.REASON_SIGNALLED])
        self.assertEqual(len(job.attempts), 2)
        self.assert_truncated(job, 3, 4, "chunk_timeout")
        self.assertEqual(job.result, b"state")

    def test_C3_retries_come_first_if_they_are_asked_for(self):
        job = self.run_chunks(
            ["upto", 1, checkpoint("state"), progress(1, 2), ["stop"],
             result("one"), ["exit", 0]],
            ["start"], progress(2, 2), result("all"),
            policy={"chunk_timeout": 0.5},
            retry_on=[Reason.REASON_SLOW_CHUNKS])
        self.assert_whole(job)
        self.assertEqual(job.result, b"all")
        self.assertEqual([attempt.failure.reason for attempt in job.attempts],
                         [Reason.REASON_SLOW_CHUNKS, 0])

    def test_C3_a_python_task_hands_in_what_it_has(self):
        request = job_of("cooperative", json.dumps(
            {"steps": 3, "pause": 600}).encode())
        job, out, _ = self.cluster.run(chunked(request, chunk_timeout=0.5))
        self.assert_truncated(job, 1, 3, "chunk_timeout")
        self.assertEqual(job.result, b"1 steps when SLOW_CHUNKS")
        self.assertEqual(out, b"step 1\n")

    def test_C3_a_cancelled_job_is_cancelled(self):
        request = chunked(job_of("task", [STARTED, progress(1, 2), FOR_EVER],
                                 shutdown_grace=2), chunk_timeout=0.5)
        job_id = self.cluster.submit(request)
        self.cluster.wait_phase(job_id, Phase.PHASE_STOPPING)
        self.cluster.cancel(job_id)
        job = self.cluster.finish(job_id)
        self.assertEqual(job.state, State.STATE_CANCELLED, job)
        self.assertFalse(job.truncated)

    # --- commands
    def test_C3_a_command_says_how_far_it_is_in_lines(self):
        for stream in ("out", "err"):
            with self.subTest(stream=stream):
                job, out = self.run_talker(
                    f"{stream}:1/3", f"{stream}:2 of 3", 600,
                    policy={"chunk_timeout": 0.5})
                self.assert_truncated(job, 2, 3, "chunk_timeout")
                self.assertFalse(job.HasField("result"))
                self.assertEqual(out, b"1/3\n2 of 3\n" if stream == "out"
                                 else b"")

    def test_C3_a_command_of_one_chunk_after_the_other_is_whole(self):
        job, out = self.run_talker("out:1/2", "out:2/2", 1, "out:done",
                                   policy={"chunk_timeout": 0.5})
        self.assert_whole(job)
        self.assertEqual(out, b"1/2\n2/2\ndone\n")

    def test_C3_with_nothing_done_it_fails_or_has_its_fallback(self):
        for fallback in (False, True):
            with self.subTest(fallback=fallback):
                request = chunked(self.cluster.talker("out:go", 600),
                                  chunk_timeout=0.5)
                if fallback:
                    request.spec.fallback.value = b"instead"
                job, _, _ = self.cluster.run(request)
                self.assertFalse(job.truncated)
                self.assertEqual(job.degraded, fallback)
                if fallback:
                    self.assert_succeeded(job, b"instead")
                    self.assertEqual(job.fallback_failure.reason,
                                     Reason.REASON_SLOW_CHUNKS)
                else:
                    self.assert_failed(job, Reason.REASON_SLOW_CHUNKS,
                                       "0 chunks were done")

    def test_C3_observed_only_it_goes_on(self):
        job, _ = self.run_talker("out:1/3", 1, "out:3/3", observe=True,
                                 policy={"chunk_timeout": 0.5})
        self.assert_whole(job)
        self.assertEqual([seen.reason for seen in job.attempts[0].observed],
                         [Reason.REASON_SLOW_CHUNKS])

    # --- around it
    def test_C3_what_cannot_be_is_refused_by_name(self):
        for field, policy in (
                ("chunk_timeout", {"chunk_timeout": 0}),
                ("chunk_timeout", {"chunk_timeout": 24 * 3600 + 1}),
                ("expected_chunk_time", {"expected_chunk_time": 31}),
                ("max_consecutive_slow_chunks",
                 {"expected_chunk_time": 1, "max_consecutive_slow_chunks": 0}),
                ("max_consecutive_slow_chunks",
                 {"max_consecutive_slow_chunks": 2})):
            with self.subTest(policy=policy):
                error = refused(
                    self.cluster.jobs.SubmitJob,
                    chunked(self.cluster.command("/bin/true"), **policy))
                self.assertEqual(error.code(),
                                 grpc.StatusCode.INVALID_ARGUMENT)
                self.assertIn(f"spec.chunk_policy.{field} ", error.details())

    def test_C8_the_servers_chunk_timeout_is_a_setting(self):
        with Cluster(local_slots=0, flags=["--chunk_timeout=700ms"]) as own:
            job = own.get(own.submit(chunked(own.command("/bin/true"))))
            self.assertEqual(seconds(job.spec.chunk_policy.chunk_timeout), 0.7)

    def test_C3_the_command_line_says_that_it_is_partial(self):
        ran = self.cluster.vigil("run", "--chunk-timeout=500ms", "--",
                                 "/bin/sh", "-c", "echo 1/3; exec sleep 600")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(ran.stdout, b"1/3\n")
        self.assertIn(b"the output is partial, 1 of 3 chunks: SLOW_CHUNKS: 1 "
                      b"of 3 chunks were done", ran.stderr)
        failed = self.cluster.vigil("run", "--chunk_timeout=500ms", "--",
                                    "/bin/sh", "-c", "echo; exec sleep 600")
        self.assertEqual(failed.returncode, 124, failed.stderr)
        steps = json.dumps([STARTED, SLOW, progress(1), SLOW, progress(2),
                            ["stop"], result("two")])
        ran = self.cluster.vigil(
            "run", "--task_type=task", f"--input={steps}",
            f"--expected_chunk_time={EXPECTED}s", "--max_slow_chunks=2")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(ran.stdout, b"two")
        self.assertIn(b"is partial, 2 chunks: SLOW_CHUNKS", ran.stderr)
        job_id = self.cluster.list_jobs(page_size=1)[0].job_id
        explained = self.cluster.vigil("explain", job_id).stdout
        self.assertIn(b"SUCCEEDED\nits result is partial, 2 chunks: "
                      b"SLOW_CHUNKS: ", explained)
        self.assertEqual(self.cluster.vigil("explain", "--result",
                                            job_id).stdout, b"two")
        batch = self.cluster.vigil(
            "batch", "-o", "json", "--chunk_timeout=500ms", "--", "/bin/sh",
            "-c", "echo 1/3; exec sleep {}", input=b"0\n600\n", stdin=None)
        self.assertEqual(batch.returncode, 0, batch.stderr)
        whole, cut = sorted(map(json.loads, batch.stdout.splitlines()),
                            key=lambda item: item["index"])
        self.assertNotIn("truncated", whole)
        self.assertEqual((cut["state"], cut["truncated"], cut["reason"]),
                         ("SUCCEEDED", True, "SLOW_CHUNKS"))


if __name__ == "__main__":
    unittest.main()

"""Warm tasks that break the protocol, crash between two frames or print where
they should not: each ends as what it is, at once (the clocks stand at minutes),
and the worker takes the next job as if nothing had been.
"""
import signal
import unittest

from cluster import Reason, State, alive, wait_until
from warm_case import (
    FOR_EVER, HEARTBEAT, STARTED, WarmTestCase, checkpoint, duration, failed,
    progress, raw_type, result, token)

# As frames.proto states.
TOKEN_MAX = 256 << 10
CHECKPOINT_MAX = 1 << 20
RESULT_MAX = 3 << 20
FRAME_MAX = (4 << 20) + (4 << 10)


def repeated(kind, size):
    """A frame of a kind with a text of so many bytes."""
    return {kind: {"text": {"repeat": size}}}


class WarmFaultCase(WarmTestCase):
    """A task type whose clocks would take minutes to notice anything."""

    types = (raw_type("task", timeouts={
        "inactivity_timeout": duration(600),
        "start_to_close_timeout": duration(900),
        "shutdown_grace": duration(600)}),)

    def tearDown(self):
        # Whatever it was, it harmed nobody else.
        job, out, _ = self.run_steps("task", STARTED, token("fine"), result())
        self.assert_succeeded(job)
        self.assertEqual(out, b"fine")

    def fail_with(self, reason, text, *steps, **options):
        """Runs steps that must end so, as one attempt that counts."""
        job, out, err = self.run_steps("task", *steps, **options)
        self.assert_failed(job, reason, text)
        self.assertEqual(len(job.attempts), 1)
        self.assertTrue(job.attempts[0].charged)
        self.assertFalse(job.HasField("result"))
        # The process went with it.
        self.assertFalse(alive(self.pid_of("task", job.job_id)))
        return job, out, err

    def break_with(self, text, *steps):
        """Runs steps that must end as PROTOCOL_ERROR."""
        return self.fail_with(Reason.REASON_PROTOCOL_ERROR, text, *steps)


class CrashTest(WarmFaultCase):

    def test_A12_an_exit_between_frames(self):
        job, out, _ = self.fail_with(
            Reason.REASON_NONZERO_EXIT, "status 9 before it gave a result",
            STARTED, token("one"), ["warn", "out of ideas"], ["exit", 9])
        self.assertEqual(out, b"one")
        self.assertEqual(job.exit.status, 9)
        self.assertIn('"out of ideas"', job.failure.message)

    def test_A12_a_signal_between_frames(self):
        job, out, _ = self.fail_with(
            Reason.REASON_SIGNALLED, "signal 11", STARTED, token("one"),
            ["kill", signal.SIGSEGV.value])
        self.assertEqual(out, b"one")
        self.assertEqual(job.exit.signal, signal.SIGSEGV)

    def test_A12_an_exit_with_status_0_is_no_success(self):
        job, _, _ = self.fail_with(
            Reason.REASON_PROTOCOL_ERROR, "status 0 before it gave a result",
            STARTED, token("one"), ["exit", 0])
        self.assertEqual(job.exit.status, 0)

    def test_A12_an_exit_in_the_middle_of_a_frame(self):
        _, out, _ = self.fail_with(
            Reason.REASON_NONZERO_EXIT, "status 9", STARTED, token("one"),
            ["write", '{"attempt_id": "half'], ["exit", 9])
        self.assertEqual(out, b"one")

    def test_A3_a_crash_after_the_result_does_not_touch_it(self):
        job, _, _ = self.run_steps("task", STARTED, result("kept"),
                                   ["exit", 9])
        self.assert_succeeded(job, b"kept")
        self.assertEqual(len(job.attempts), 1)
        # The next job may find it just dying, which is not its own fault.
        job, _, _ = self.run_steps("task", STARTED, result(),
                                   maximum_attempts=1)
        self.assert_succeeded(job)

    def test_A3_a_crash_is_retried_where_that_is_asked_for(self):
        job, out, _ = self.run_steps(
            "task", STARTED, ["upto", 1, token("first"), ["exit", 9]],
            token("second"), result(), retry_on=[Reason.REASON_NONZERO_EXIT])
        self.assert_succeeded(job)
        self.assertEqual(out, b"firstsecond")
        self.assertEqual([attempt.charged for attempt in job.attempts],
                         [True, True])

    def test_A3_a_process_left_behind_is_killed_with_the_warm_one(self):
        job, _, _ = self.run_steps("task", STARTED, ["child"], result("kept"))
        self.assert_succeeded(job, b"kept")
        self.assertEqual(job.attempts[0].evidence.leftover_processes_killed, 1)
        self.assertFalse(alive(self.pid_of("task", job.job_id)))


class ProtocolTest(WarmFaultCase):

    def test_A12_two_results(self):
        # The first one counts; the second is said of nothing.
        job, _, _ = self.run_steps("task", STARTED, result("one"),
                                   result("two"))
        self.assert_succeeded(job, b"one")
        pid = self.pid_of("task", job.job_id)
        wait_until(lambda: not alive(pid), "the process is ended")

    def test_A12_a_token_after_the_result(self):
        job, out, _ = self.run_steps("task", STARTED, result("one"),
                                     token("late"))
        self.assert_succeeded(job, b"one")
        self.assertEqual(out, b"")
        pid = self.pid_of("task", job.job_id)
        wait_until(lambda: not alive(pid), "the process is ended")

    def test_A12_a_frame_of_another_attempt(self):
        for frame in ({"attempt_id": "another/1", **token("x")},
                      {"attempt_id": "another/1", **result("x")},
                      {"attempt_id": "no id at all", **token("x")}):
            with self.subTest(frame):
                _, out, _ = self.break_with(
                    "for an attempt that this task does not run",
                    STARTED, frame, FOR_EVER)
                self.assertEqual(out, b"")

    def test_A12_a_frame_without_an_attempt(self):
        self.break_with("without an attempt_id", STARTED,
                        {"attempt_id": "", **token("x")}, FOR_EVER)

    def test_A12_started_twice(self):
        self.break_with("begins its attempt again", STARTED, STARTED, FOR_EVER)

    def test_A12_hello_twice(self):
        self.break_with("says hello again", STARTED,
                        {"attempt_id": "", "hello": {"version": 1}}, FOR_EVER)

    def test_A12_a_reset_done_that_was_not_asked_for(self):
        self.break_with("a reset that was not asked for", STARTED,
                        {"attempt_id": "", "reset_done": {}}, FOR_EVER)

    def test_A12_what_comes_before_started_is_the_process_own(self):
        job, _, _ = self.run_steps("task", token("early"), FOR_EVER)
        self.assert_failed(job, Reason.REASON_PROTOCOL_ERROR,
                           "comes before started")
        self.assertEqual([attempt.charged for attempt in job.attempts],
                         [False] * 3)

    def test_A12_text_that_is_no_frame_is_quoted(self):
        self.break_with("Loading model", STARTED,
                        ["write", "Loading model...\n"], FOR_EVER)

    def test_A12_half_a_frame_on_a_line_of_its_own(self):
        self.break_with("broke the protocol", STARTED,
                        ["write", '{"token":\n'], FOR_EVER)

    def test_A12_progress_that_is_negative(self):
        self.break_with("negative", STARTED, progress(-1), FOR_EVER)

    def test_A12_unknown_frames_and_fields(self):
        job, _, _ = self.run_steps(
            "task", STARTED, {"mood": "fine", "optional": True},
            {"token": {"text": "t", "colour": "red"}}, result())
        self.assert_succeeded(job)
        self.break_with("no kind that is known", STARTED, {"mood": "fine"},
                        FOR_EVER)

    def test_A12_a_closed_channel_with_a_process_that_stays(self):
        job, _, _ = self.break_with("closed its channel", STARTED,
                                    token("one"), ["close"], FOR_EVER)
        self.assertTrue(job.attempts[0].evidence.killed)


class SizeTest(WarmFaultCase):

    def test_A12_the_largest_of_everything_passes(self):
        job, out, _ = self.run_steps(
            "task", STARTED, repeated("token", TOKEN_MAX),
            repeated("checkpoint", CHECKPOINT_MAX),
            repeated("result", RESULT_MAX))
        self.assert_succeeded(job, b"x" * RESULT_MAX)
        self.assertEqual(out, b"x" * TOKEN_MAX)
        self.assertEqual(self.cluster.get(job.job_id).result,
                         b"x" * RESULT_MAX)

    def test_A12_a_byte_more_is_refused(self):
        for kind, size in (("token", TOKEN_MAX), ("checkpoint", CHECKPOINT_MAX),
                           ("result", RESULT_MAX)):
            with self.subTest(kind):
                self.break_with(
                    f"`{kind}` of {size + 1} bytes, more than {size}",
                    STARTED, repeated(kind, size + 1), FOR_EVER)

    def test_A12_a_token_of_4_mb(self):
        _, out, _ = self.break_with(f"more than {TOKEN_MAX}", STARTED,
                                    repeated("token", 4 << 20), FOR_EVER)
        self.assertEqual(out, b"")

    def test_A12_a_line_beyond_every_limit(self):
        # Refused when too much is held, not when it ends.
        self.break_with(str(FRAME_MAX), STARTED,
                        ["repeat", 80, ["write", "x" * (64 << 10)]], FOR_EVER)

    def test_A12_many_tokens_all_arrive(self):
        # More than may be unacknowledged: the worker stops reading, goes on.
        job, out, _ = self.run_steps(
            "task", STARTED, ["repeat", 64, repeated("token", TOKEN_MAX)],
            result())
        self.assert_succeeded(job)
        self.assertEqual(len(out), 64 * TOKEN_MAX)


class StrayPrintTest(WarmFaultCase):

    def test_A3_stray_prints_become_stderr(self):
        job, out, err = self.run_steps(
            "task", STARTED, ["print", "loading tokenizer"], token("a"),
            ["warn", "deprecated"], ["print", '{"token":{"text":"forged"}}'],
            token("b"), HEARTBEAT, checkpoint("c"), result())
        self.assert_succeeded(job)
        self.assertEqual(out, b"ab")
        for line in (b"loading tokenizer\n", b"deprecated\n", b"forged"):
            self.assertIn(line, err)
        attempt = job.attempts[0]
        self.assertEqual(attempt.tokens, 2)
        self.assertEqual(attempt.stdout_bytes, 2)
        self.assertEqual(attempt.stderr_bytes, len(err))

    def test_A3_a_flood_of_prints_harms_nobody(self):
        job, out, err = self.run_steps(
            "task", STARTED, ["repeat", 200, ["print", "x" * 10000]],
            token("a"), result())
        self.assert_succeeded(job)
        self.assertEqual(out, b"a")
        self.assertGreater(len(err), 1900000)

    def test_A3_prints_of_one_job_are_not_the_next_ones(self):
        job, _, err = self.run_steps("task", STARTED, ["warn", "of the first"],
                                     result())
        self.assertEqual(err, b"of the first\n")
        pid = self.pid_of("task", job.job_id)
        job, _, err = self.run_steps("task", STARTED,
                                     ["warn", "of the second"],
                                     failed("no"))
        self.assertEqual(self.pid_of("task", job.job_id), pid)
        self.assertEqual(err, b"of the second\n")
        # It failed; its process did not.
        self.assert_failed(job, Reason.REASON_TASK_ERROR, "no")
        self.assertEqual(job.state, State.STATE_FAILED)
        self.assertTrue(alive(pid))

    def test_A3_the_cli_keeps_tokens_and_prints_apart(self):
        steps = ('[{"started":{}},["print","remark"],'
                 '{"token":{"text":"tok"}},{"token":{"text":"ens\\n"}},'
                 '{"result":{"text":"unseen"}}]')
        run = self.cluster.vigil("run", "--task_type=task", f"--input={steps}")
        self.assertEqual((run.returncode, run.stdout, run.stderr),
                         (0, b"tokens\n", b"remark\n"))
        steps = '[{"started":{}},{"result":{"text":"the result"}}]'
        run = self.cluster.vigil("run", "--task_type=task", f"--input={steps}")
        self.assertEqual((run.returncode, run.stdout, run.stderr),
                         (0, b"the result", b""))


if __name__ == "__main__":
    unittest.main()

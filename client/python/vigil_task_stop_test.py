#!/usr/bin/python3
"""Proves that a stop finds a job of vigil_task.py wherever the job is.

Each test stops jobs at a certain place, or at places chosen by a seed, and
looks at what they still say, and at what becomes of the jobs behind them.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import unittest
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_worker import FakeWorker  # pylint: disable=wrong-import-position


class StopTest(unittest.TestCase):
    """Blocking jobs that are told to stop."""

    SCRIPT = """
        import os, signal, time, threading
        import vigil_task

        def wait(job):
            job.token("waiting")
            time.sleep(1000)

        def read(job):
            read, write = os.pipe()
            with open(read, "rb") as pipe, open(write, "wb"):
                job.token("waiting")
                pipe.read()

        def lock(job):
            job.token("waiting")
            threading.Event().wait()

        def compute(job):
            job.token("waiting")
            while True:
                pass

        def keep(job):
            try:
                wait(job)
            except Exception:
                return "eaten"
            except vigil_task.Cancelled as stop:
                job.checkpoint("so far")
                return f"{stop.cause} {job.stopping}"

        def swallow(job):
            try:
                wait(job)
            except vigil_task.Cancelled:
                pass

        def fail(job):
            try:
                wait(job)
            finally:
                raise OSError("while cleaning up")

        def wait_for_pipe(job):
            os.read(os.open(job.id, os.O_RDONLY), 1)

        def resist(job):
            try:
                wait(job)
            except vigil_task.Cancelled:
                job.token("again")
                wait_for_pipe(job)
                return "once"

        def pipe(job):
            job.token("waiting")
            wait_for_pipe(job)

        def silent(job):
            time.sleep(1000)

        def miss(job):
            def forget(*_):
                signal.signal(signal.SIGIO, handler)
            handler = signal.signal(signal.SIGIO, forget)
            wait(job)

        def identity(job):
            return job.id

        def large(job):
            return "x" * (3 << 20)

        def run(job):
            return globals()[job.text](job)

        vigil_task.serve(run)
        """

    def setUp(self):
        self.worker = FakeWorker(self, self.SCRIPT)

    def stop_when_waiting(self, text: str) -> list[dict[str, Any]]:
        attempt_id = self.worker.start(text)
        self.assertEqual(self.worker.hear()["started"], {})
        self.assertEqual(self.worker.hear()["token"], {"text": "waiting"})
        self.worker.stop(attempt_id, "REASON_INACTIVITY_TIMEOUT")
        return self.worker.rest(attempt_id)

    def test_interrupts_whatever_the_job_does(self):
        for text in ("wait", "read", "lock", "compute", "swallow"):
            with self.subTest(text):
                self.assertEqual(self.stop_when_waiting(text), [
                    {"error": {"message": "stopped: INACTIVITY_TIMEOUT"}}])
        status, _, errors = self.worker.close()
        self.assertEqual((status, errors), (0, ""))

    def test_interrupts_again_a_job_that_the_signal_did_not_reach(self):
        self.assertEqual(self.stop_when_waiting("miss"), [
            {"error": {"message": "stopped: INACTIVITY_TIMEOUT"}}])

    def test_keeps_what_the_job_hands_in_at_last(self):
        self.assertEqual(self.stop_when_waiting("keep"), [
            {"checkpoint": {"text": "so far"}},
            {"result": {"text": "INACTIVITY_TIMEOUT INACTIVITY_TIMEOUT"}}])

    def test_reports_an_exception_that_came_of_it(self):
        self.assertEqual(self.stop_when_waiting("fail"), [
            {"error": {"message": "OSError: while cleaning up"}}])

    def start_with_pipe(self, text: str) -> str:
        """Starts a job that waits for the other end of a pipe: its job_id."""
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        pipe = os.path.join(scratch.name, "pipe")
        os.mkfifo(pipe)
        self.worker.say("a/1", start={"job_id": pipe, "input": {"text": text}})
        self.assertEqual(self.worker.hear()["started"], {})
        self.assertEqual(self.worker.hear()["token"], {"text": "waiting"})
        return pipe

    def test_interrupts_an_attempt_once(self):
        pipe = self.start_with_pipe("resist")
        self.worker.stop("a/1")
        self.assertEqual(self.worker.hear()["token"], {"text": "again"})
        self.worker.stop("a/1")
        open(pipe, "wb").close()
        self.assertEqual(self.worker.rest("a/1"),
                         [{"result": {"text": "once"}}])
        self.assertEqual(self.stop_when_waiting("keep")[0],
                         {"checkpoint": {"text": "so far"}})

    def test_a_stop_that_comes_too_late_hits_no_other(self):
        stopped = self.worker.start("wait")
        self.worker.stop(stopped)
        self.worker.rest(stopped)
        self.worker.stop(stopped)
        self.assertEqual(self.stop_when_waiting("keep")[0],
                         {"checkpoint": {"text": "so far"}})

    def test_queued_jobs_that_are_stopped_never_run(self):
        first, second, third = (self.worker.start("wait") for _ in range(3))
        self.worker.stop(second, "REASON_DRAINED")
        self.worker.stop(first)
        self.worker.rest(first)
        self.assertEqual(self.worker.rest(second), [
            {"started": {}}, {"error": {"message": "stopped: DRAINED"}}])
        self.assertEqual(self.worker.hear(),
                         {"attempt_id": third, "started": {}})

    def test_a_stop_taken_while_another_job_runs_is_not_forgotten(self):
        pipe = self.start_with_pipe("pipe")
        queued = self.worker.start("wait")
        self.worker.stop(queued)
        self.worker.wait_until_read()
        open(pipe, "wb").close()
        self.worker.rest("a/1")
        self.assertEqual(self.worker.rest(queued), [
            {"started": {}}, {"error": {"message": "stopped: CANCELLED"}}])

    def test_a_stop_that_comes_between_two_jobs_is_not_forgotten(self):
        frames = [json.dumps({"attempt_id": text,
                              "start": {"input": {"text": text}}}) + "\n"
                  for text in ("large", "silent")]
        self.worker.channel.sendall("".join(frames).encode())
        self.worker.hear()
        # The result has begun, and is larger than what the channel holds.
        self.assertTrue(self.worker.lines.peek(1))
        self.worker.wait_until_it_waits()
        self.worker.stop("silent")
        self.worker.rest("large")
        self.assertEqual(self.worker.rest("silent")[-1],
                         {"error": {"message": "stopped: CANCELLED"}})

    def test_frames_that_come_in_pieces_while_a_job_computes_are_whole(self):
        stopped = self.worker.start("compute")
        self.worker.hear()
        self.worker.hear()
        for i in range(16):
            frame = {"attempt_id": f"{i}", "start": {
                "job_id": "x" * i, "input": {"text": "identity"}}}
            for byte in json.dumps(frame).encode() + b"\n":
                self.worker.channel.sendall(bytes([byte]))
        self.worker.stop(stopped)
        self.worker.rest(stopped)
        for i in range(16):
            self.assertEqual(self.worker.rest(f"{i}")[-1],
                             {"result": {"text": "x" * i}})

    def test_unknown_causes_are_numbers(self):
        attempt_id = self.worker.start("keep")
        self.worker.hear()
        self.worker.hear()
        self.worker.stop(attempt_id, 99)
        self.assertEqual(self.worker.rest(attempt_id)[-1],
                         {"result": {"text": "99 99"}})

    def test_ends_with_the_channel_while_a_job_runs(self):
        self.worker.start("wait")
        self.worker.hear()
        self.worker.hear()
        self.assertEqual(self.worker.close(), (0, "", ""))

    def test_frames_stay_whole_wherever_a_stop_hits(self):
        worker = FakeWorker(self, """
            import vigil_task
            def run(job):
                for i in range(200):
                    job.token("x" * i)
                    job.progress(i)
                return "y" * 1000
            vigil_task.serve(run)
            """)
        seeded = random.Random(7)
        ends = {"result": 0, "error": 0}
        for _ in range(400):
            attempt_id = worker.start()
            queued = worker.start()
            heard = [worker.hear() for _ in range(seeded.randrange(1, 402))]
            worker.stop(attempt_id)
            if "result" not in heard[-1]:
                heard = worker.rest(attempt_id)
            ends["result" if "result" in heard[-1] else "error"] += 1
            self.assertEqual(worker.rest(queued)[-1]["result"],
                             {"text": "y" * 1000})
        self.assertGreater(ends["error"], 10)
        self.assertGreater(ends["result"], 10)

    def test_a_frame_that_waits_for_its_reader_is_written_to_its_end(self):
        worker = FakeWorker(self, """
            import vigil_task
            def run(job):
                job.token(b"x" * (8 << 20))
            vigil_task.serve(run)
            """)
        attempt_id = worker.start()
        worker.hear()
        # A piece has begun, and is larger than what the channel holds.
        self.assertTrue(worker.lines.peek(1))
        sleeps = worker.wait_until_it_waits()
        worker.stop(attempt_id)
        worker.wait_until_it_waits(sleeps)
        *_, last = worker.rest(attempt_id)
        self.assertEqual(last, {"error": {"message": "stopped: CANCELLED"}})


class AsyncTest(unittest.TestCase):
    """Jobs that are an `async def`."""

    def setUp(self):
        self.worker = FakeWorker(self, """
            import asyncio
            import vigil_task

            async def run(job):
                if job.text == "fail":
                    raise OSError("failed")
                if job.text == "cancel itself":
                    raise asyncio.CancelledError
                if job.text == "exit":
                    raise SystemExit(3)
                if job.text in ("wait", "keep"):
                    try:
                        job.token("waiting")
                        await asyncio.sleep(1000)
                    except asyncio.CancelledError:
                        if job.text == "wait":
                            raise
                        job.token("again")
                        await asyncio.to_thread(input)
                        return f"kept at {job.stopping}"
                return job.text

            vigil_task.serve(run)
            """)

    def test_runs_one_job_after_the_other(self):
        attempts = [self.worker.start(str(i)) for i in range(20)]
        for i, attempt_id in enumerate(attempts):
            self.assertEqual(self.worker.rest(attempt_id), [
                {"started": {}}, {"result": {"text": str(i)}}])

    def test_cancels_the_task_at_a_stop(self):
        attempt_id = self.worker.start("wait")
        self.worker.hear()
        self.worker.hear()
        self.worker.stop(attempt_id, "REASON_DRAINED")
        self.assertEqual(self.worker.rest(attempt_id), [
            {"error": {"message": "stopped: DRAINED"}}])

    def test_cancels_an_attempt_once_and_keeps_what_it_returns(self):
        attempt_id = self.worker.start("keep")
        self.worker.hear()
        self.worker.hear()
        self.worker.stop(attempt_id)
        self.assertEqual(self.worker.hear()["token"], {"text": "again"})
        self.worker.stop(attempt_id)
        self.worker.wait_until_read()
        self.worker.process.stdin.write("\n")
        self.worker.process.stdin.flush()
        self.assertEqual(self.worker.rest(attempt_id), [
            {"result": {"text": "kept at CANCELLED"}}])

    def test_queued_jobs_that_are_stopped_never_run(self):
        first, second = self.worker.start("wait"), self.worker.start("wait")
        self.worker.stop(second)
        self.worker.stop(first)
        self.worker.rest(first)
        self.assertEqual(self.worker.rest(second), [
            {"started": {}}, {"error": {"message": "stopped: CANCELLED"}}])
        self.assertEqual(self.worker.run("x"), [{"result": {"text": "x"}}])

    def test_is_found_out_behind_a_partial(self):
        worker = FakeWorker(self, """
            import functools
            import vigil_task
            async def run(greeting, job):
                return greeting + job.text
            vigil_task.serve(functools.partial(run, "hello "))
            """)
        self.assertEqual(worker.run("x"), [{"result": {"text": "hello x"}}])

    def test_exceptions_fail_the_job_and_not_the_process(self):
        for text, message in (("fail", "OSError: failed"),
                              ("cancel itself", "CancelledError: "),
                              ("exit", "SystemExit: 3")):
            self.assertEqual(self.worker.run(text),
                             [{"error": {"message": message}}])
        self.assertEqual(self.worker.run("x"), [{"result": {"text": "x"}}])

    def test_ends_with_the_channel_idle_or_not(self):
        self.assertEqual(self.worker.close(), (0, "", ""))
        self.setUp()
        self.worker.start("wait")
        self.worker.hear()
        self.worker.hear()
        self.assertEqual(self.worker.close(), (0, "", ""))


if __name__ == "__main__":
    unittest.main()

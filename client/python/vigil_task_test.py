#!/usr/bin/python3
"""Proves that vigil_task.py keeps to the frames that Vigil's worker expects.

Each test runs jobs in a small task and looks at what the task says of them, or
at what the task does beside jobs.
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import sys
import tempfile
import textwrap
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_worker import (  # pylint: disable=wrong-import-position
    PATIENCE, FakeWorker, start_process)


def content(payload: dict[str, str]) -> bytes:
    if "data" in payload:
        return base64.b64decode(payload["data"])
    return payload.get("text", "").encode()


class JobTest(unittest.TestCase):
    """What a job is given and what it says."""

    def worker(self, body: str, **environment: str) -> FakeWorker:
        return FakeWorker(
            self, "import vigil_task\ndef run(job):\n" +
            textwrap.indent(textwrap.dedent(body), "    ") +
            "\nvigil_task.serve(run)\n", **environment)

    def test_gives_input_and_identity(self):
        worker = self.worker(
            "return [job.text, job.id, job.attempt, job.namespace]")
        self.assertEqual(worker.run("\u00e4\n"), [{
            "result": {"text": '["\u00e4\\n","job-1",1,"default"]'}}])
        self.assertEqual(worker.run(), [{
            "result": {"text": '["","job-2",1,"default"]'}}])

    def test_gives_bytes_and_takes_bytes(self):
        worker = self.worker("return job.input[::-1]")
        data = bytes(range(256))
        frame, = worker.run(input={"data": base64.b64encode(data).decode()})
        self.assertEqual(content(frame["result"]), data[::-1])

    def test_result_is_text_as_it_is_json_or_nothing(self):
        worker = self.worker("return eval(job.text)")
        for value, text in (("'a b'", "a b"), ("{'a': [1, None]}",
                                               '{"a":[1,null]}'),
                            ("0", "0"), ("''", "")):
            frame, = worker.run(value)
            self.assertEqual(frame, {"result": {"text": text}})
        self.assertEqual(worker.run("None"), [{"result": {}}])

    def test_sends_in_order_what_the_job_says(self):
        worker = self.worker("""
            job.token("a\\u2028b")
            job.token(b"\\xff")
            job.progress(3, 7, "there")
            job.progress(4)
            job.heartbeat()
            job.checkpoint("state")
            """)
        self.assertEqual(worker.run(), [
            {"token": {"text": "a\u2028b"}}, {"token": {"data": "/w=="}},
            {"progress": {"done": 3, "total": 7, "message": "there"}},
            {"progress": {"done": 4, "total": 0, "message": ""}},
            {"heartbeat": {}}, {"checkpoint": {"text": "state"}},
            {"result": {}}])

    def test_goes_on_from_a_checkpoint(self):
        worker = self.worker("return repr(job.resume_from)")
        self.assertEqual(worker.run(), [{"result": {"text": "None"}}])
        self.assertEqual(worker.run(checkpoint={}),
                         [{"result": {"text": "b''"}}])
        self.assertEqual(worker.run(checkpoint={"data": "/w=="}),
                         [{"result": {"text": "b'\\xff'"}}])

    def test_sends_long_tokens_in_pieces(self):
        worker = self.worker("job.token('\u20ac' * 200_000)")
        *tokens, _ = worker.run()
        pieces = [content(token["token"]) for token in tokens]
        self.assertEqual(b"".join(pieces), "\u20ac".encode() * 200_000)
        self.assertEqual(list(map(len, pieces)), [256 << 10, 256 << 10, 75712])

    def test_largest_result_of_control_characters_fits_a_frame(self):
        worker = self.worker("return '\\1' * (3 << 20)")
        worker.start()
        worker.hear()
        line = worker.lines.readline()
        self.assertLessEqual(len(line), (4 << 20) + (4 << 10))
        self.assertEqual(content(json.loads(line)["result"]), b"\1" * (3 << 20))

    def test_what_cannot_be_a_result_is_an_error_of_the_job_alone(self):
        worker = self.worker("return eval(job.text)")
        for value, error in (("'x' * (3 << 20) + 'y'", "3145729 bytes"),
                             ("{1, 2}", "TypeError"), ("float('nan')", "Value"),
                             ("'\\ud800'", "UnicodeEncodeError")):
            frame, = worker.run(value)
            self.assertIn(error, frame["error"]["message"])
        self.assertEqual(worker.run("1"), [{"result": {"text": "1"}}])

    def test_refuses_what_the_worker_would_not_take(self):
        worker = self.worker("eval(job.text)")
        for call, error in (("job.progress(-1)", "negative"),
                            ("job.checkpoint(b'x' * 1048577)", "1048577"),
                            ("job.checkpoint(7)", "TypeError"),
                            ("vigil_task.TaskError('', reason='DRAINED')",
                             "DRAINED"),
                            ("vigil_task.TaskError('', retry_delay=86401)",
                             "24 hours")):
            frame, = worker.run(call)
            self.assertIn(error, frame["error"]["message"])

    def test_errors_say_reason_and_when_to_try_again(self):
        worker = self.worker("raise eval(job.text, vars(vigil_task))")
        self.assertEqual(worker.run("InvalidInput('no song')"), [{"error": {
            "reason": "REASON_INVALID_INPUT", "retryable": False,
            "message": "no song"}}])
        self.assertEqual(
            worker.run("TaskError('busy', reason='SERVER_UNAVAILABLE', "
                       "retryable=True, retry_delay=1.5)"),
            [{"error": {"reason": "REASON_SERVER_UNAVAILABLE",
                        "retryable": True, "next_retry_delay": "1.500s",
                        "message": "busy"}}])
        status, _, errors = worker.close()
        self.assertEqual((status, errors), (0, ""))

    def test_malformed_input_is_invalid(self):
        worker = self.worker("return job.json()['a'] if job.text else 1")
        for start in ({"input": {"data": "/w=="}}, {"input": {"text": "{"}},
                      {"input": {"text": "[" * 100_000}}):
            frame, = worker.run(**start)
            self.assertEqual(frame["error"]["reason"], "REASON_INVALID_INPUT")
        self.assertEqual(worker.run('{"a": "b"}'), [{"result": {"text": "b"}}])

    def test_other_exceptions_fail_the_job_and_not_the_process(self):
        worker = self.worker("""
            import sys
            if job.text == "exit":
                sys.exit(3)
            if job.text == "file name":
                raise OSError("\\ud800")
            raise OSError(job.text)
            """)
        self.assertEqual(worker.run("can't start\nnew \ud7ff thread"), [
            {"error": {"message": "OSError: can't start\nnew \ud7ff thread"}}])
        self.assertEqual(worker.run("exit"),
                         [{"error": {"message": "SystemExit: 3"}}])
        self.assertEqual(worker.run("file name"),
                         [{"error": {"message": "OSError: ?"}}])
        frame, = worker.run("x" * 10_000)
        self.assertLessEqual(len(frame["error"]["message"]), 4096)
        status, _, errors = worker.close()
        self.assertEqual(status, 0)
        self.assertIn("in run", errors)

    def test_prints_do_not_reach_the_channel(self):
        worker = self.worker("print('{\"hello\": 1}', flush=True)")
        self.assertEqual(worker.run(), [{"result": {}}])
        self.assertEqual(worker.close(), (0, '{"hello": 1}\n', ""))

    def test_programs_and_forks_do_not_hold_the_channel(self):
        worker = self.worker("""
            import os, subprocess
            links = subprocess.run(
                ["ls", "-l", "/proc/self/fd"], check=True,
                capture_output=True, text=True, close_fds=False).stdout
            own = [os.readlink(f"/proc/self/fd/{fd}") for fd in range(20)
                   if os.path.islink(f"/proc/self/fd/{fd}")]
            look, say = os.pipe()
            if os.fork() == 0:
                os.write(say, " ".join(
                    os.readlink(f"/proc/self/fd/{fd}") for fd in range(3, 20)
                    if os.path.islink(f"/proc/self/fd/{fd}")).encode())
                os._exit(0)
            os.wait()
            seen = os.read(look, 10_000).decode()
            return [sum("socket:" in link for link in own),
                    links.count("socket:"), "socket:" in seen, "pipe" in seen,
                    "VIGIL_FD" in os.environ]
            """)
        self.assertEqual(worker.run(),
                         [{"result": {"text": "[1,0,false,true,false]"}}])

    def test_threads_may_speak_while_the_function_runs_and_not_later(self):
        worker = self.worker("""
            import threading
            thread = threading.Thread(target=job.token, args=("from a thread",))
            thread.start()
            thread.join()
            def late(earlier=getattr(run, "earlier", None)):
                try:
                    earlier.token("late")
                except RuntimeError as error:
                    job.token(str(error))
            if job.text:
                late()
            run.earlier = job
            """)
        self.assertEqual(worker.run(), [
            {"token": {"text": "from a thread"}}, {"result": {}}])
        self.assertEqual(worker.run("2"), [
            {"token": {"text": "from a thread"}},
            {"token": {"text": "the job's function has returned"}},
            {"result": {}}])

    def test_frames_may_come_in_any_pieces(self):
        worker = self.worker("return job.text")
        for byte in (b'{"attempt_id":"a/1","start":{"input":{"text":"x"}}}\n'
                     b'{"attempt_id":"b/1","start":{}}\n'):
            worker.channel.sendall(bytes([byte]))
            worker.wait_until_read()
        self.assertEqual(worker.rest("a/1")[1:], [{"result": {"text": "x"}}])
        self.assertEqual(worker.rest("b/1")[1:], [{"result": {"text": ""}}])

    def test_what_is_loaded_is_no_garbage_to_look_through(self):
        worker = self.worker("import gc; return gc.get_freeze_count() > 0")
        self.assertEqual(worker.run(), [{"result": {"text": "true"}}])

    def test_takes_the_largest_input(self):
        worker = self.worker("return len(job.input)")
        self.assertEqual(worker.run("x" * (3 << 20)),
                         [{"result": {"text": "3145728"}}])

    def test_queued_jobs_run_in_their_order(self):
        worker = self.worker("job.token(job.text)")
        attempts = [worker.start(str(i)) for i in range(64)]
        for i, attempt_id in enumerate(attempts):
            self.assertEqual(worker.rest(attempt_id), [
                {"started": {}}, {"token": {"text": str(i)}}, {"result": {}}])

    def test_ignores_unknown_frames_only_if_they_are_optional(self):
        worker = self.worker("return 1")
        worker.say(novelty={}, optional=True)
        self.assertEqual(worker.run(), [{"result": {"text": "1"}}])
        worker.say(novelty={})
        self.assertEqual(worker.lines.readline(), b"")
        status, _, errors = worker.close()
        self.assertEqual(status, 1)
        self.assertIn("novelty", errors)


class ProcessTest(unittest.TestCase):
    """What a task does beside jobs."""

    SCRIPT = """
        import os
        import sys
        import vigil_task

        def run(job):
            job.token(job.text.upper())
            job.progress(1, 2)
            if job.text == "bad":
                raise vigil_task.InvalidInput("bad")
            return {"length": len(job.text)}

        def warm_up(cache_dir):
            with open(os.path.join(cache_dir, "model"), "w") as model:
                model.write("loaded")
            if "FAIL" in os.environ:
                raise OSError("no room")

        vigil_task.serve(run, warm_up=warm_up,
                         reset=lambda: print("reset", flush=True))
        """

    def exit(self, *arguments: str, standard_input: str = "",
             script: str = SCRIPT, **environment: str
             ) -> tuple[int, str, str]:
        process = start_process(script, *arguments, **environment)
        output, errors = process.communicate(standard_input, timeout=PATIENCE)
        return process.returncode, output, errors

    def test_ends_quietly_when_the_channel_closes(self):
        self.assertEqual(FakeWorker(self, self.SCRIPT).close(), (0, "", ""))

    def test_answers_a_reset_when_it_is_done(self):
        worker = FakeWorker(self, self.SCRIPT)
        worker.say(reset={})
        self.assertEqual(worker.hear(), {"reset_done": {}})
        self.assertEqual(worker.close(), (0, "reset\n", ""))
        worker = FakeWorker(self, """
            import vigil_task
            vigil_task.serve(lambda job: None)
            """)
        worker.say(reset={})
        self.assertEqual(worker.hear(), {"reset_done": {}})

    def test_fills_the_cache_and_exits(self):
        with tempfile.TemporaryDirectory() as cache:
            self.assertEqual(
                self.exit(VIGIL_WARM_UP="1", VIGIL_CACHE_DIR=cache),
                (0, "", ""))
            self.assertEqual(pathlib.Path(cache, "model").read_text(), "loaded")
            status, _, errors = self.exit(
                VIGIL_WARM_UP="1", VIGIL_CACHE_DIR=cache, FAIL="1")
            self.assertEqual(status, 1)
            self.assertIn("no room", errors)
            status, _, errors = self.exit(
                VIGIL_WARM_UP="1", VIGIL_CACHE_DIR=cache,
                script="import vigil_task; vigil_task.serve(print)")
            self.assertEqual(status, 64)
            self.assertIn("warm_up", errors)

    def test_says_outside_vigil_what_it_is(self):
        status, output, errors = self.exit()
        self.assertEqual((status, output), (64, ""))
        self.assertIn("--try", errors)

    def test_refuses_frames_it_cannot_write(self):
        for frames in ({"VIGIL_FRAMES": "protobuf"}, {}):
            status, _, errors = self.exit(VIGIL_FD="3", **frames)
            self.assertEqual(status, 64)
            self.assertIn("FRAMES_JSON", errors)

    def test_runs_a_job_without_vigil(self):
        status, output, errors = self.exit("--try", "song")
        self.assertEqual((status, output), (0, 'SONG{"length":4}'))
        self.assertIn('"done":1', errors)
        status, output, errors = self.exit("--try", "-", standard_input="bad")
        self.assertEqual((status, output), (65, "BAD"))
        self.assertIn("INVALID_INPUT", errors)
        status, output, _ = self.exit("--try", "x", script="""
            import vigil_task
            async def run(job):
                raise OSError
            vigil_task.serve(run)
            """)
        self.assertEqual((status, output), (1, ""))


if __name__ == "__main__":
    unittest.main()

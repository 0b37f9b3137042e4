#!/usr/bin/python3
"""Proves what ngram_model.py learns, and that no interruption changes a text.

It learns from a library of a few modules; jobs are run by a stand-in for
vigil_task.Job that keeps what they say and may cancel them at a given word.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import tempfile
import unittest
from typing import Any, Optional

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ngram_model  # pylint: disable=wrong-import-position
import vigil_task  # pylint: disable=wrong-import-position

LIBRARY = {
    "one.py": '"""The cat sat on the mat."""\ndef f():\n  """The cat ran."""\n',
    "package/two.py": 'class C:\n  "A dog sat on the rug, and slept."\n',
    "package/four.py": '"""She can sing, he can run."""\n',
    "broken.py": "def f(:\n",
    "test/three.py": '"""Secret."""\n',
}


class FakeJob:

    def __init__(self, text: str, resume_from: Optional[bytes] = None,
                 cancel_at: int = -1) -> None:
        self.text = text
        self.resume_from = resume_from
        self.cancel_at = cancel_at
        self.tokens: list[str] = []
        self.done: list[tuple[int, int]] = []
        self.checkpoints: list[str] = []

    def token(self, token: str) -> None:
        self.tokens.append(token)
        if len(self.tokens) == self.cancel_at:
            raise vigil_task.Cancelled("CANCELLED")

    def progress(self, done: int, total: int) -> None:
        self.done.append((done, total))

    def checkpoint(self, state: str) -> None:
        self.checkpoints.append(state)


class NgramModelTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.cache = scratch.name
        library = pathlib.Path(scratch.name, "library")
        for name, content in LIBRARY.items():
            path = library / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        # What it says of its progress is for the worker's log.
        stderr, sys.stderr = sys.stderr, open(os.devnull, "w")
        try:
            ngram_model.warm_up(self.cache, f"{library}")
        finally:
            sys.stderr.close()
            sys.stderr = stderr
        self.model = ngram_model.Model.load(ngram_model.model_path(self.cache))

    def run_job(self, request: Any, **state: Any) -> tuple[str, FakeJob]:
        job = FakeJob(request if isinstance(request, str) else json.dumps(
            {"delay_ms": 0, **request}), **state)
        return ngram_model.run(self.model, job), job

    def test_continues_as_the_library_did(self):
        text, _ = self.run_job({"prompt": "A dog", "tokens": 4})
        self.assertIn(text, ("A dog sat on the mat", "A dog sat on the rug"))
        # By two words, where one would leave a choice.
        self.assertEqual({self.run_job({"prompt": "She can", "tokens": 1,
                                        "seed": seed})[0]
                          for seed in range(20)}, {"She can sing"})
        self.assertEqual({self.run_job({"prompt": "the mat", "tokens": 1,
                                        "seed": seed})[0]
                          for seed in range(20)}, {"the mat."})

    def test_learns_from_each_module_but_tests_and_broken_ones(self):
        words = {word for seed in range(500) for word in ngram_model.split(
            self.run_job({"prompt": "unheard", "tokens": 1,
                          "seed": seed})[0])}
        self.assertLessEqual({"cat", "ran", "rug", "slept"}, words)
        self.assertNotIn("Secret", words)

    def test_streams_the_text_and_counts_its_words(self):
        text, job = self.run_job({"prompt": "The", "tokens": 25, "seed": 3})
        self.assertEqual("The" + "".join(job.tokens), text)
        self.assertEqual(job.done, [(i, 25) for i in range(1, 26)])
        self.assertEqual(len(job.checkpoints), 2)

    def test_same_seed_gives_the_same_text_and_another_one_another(self):
        texts = [self.run_job({"tokens": 30, "seed": seed})[0]
                 for seed in (1, 1, 2)]
        self.assertEqual(texts[0], texts[1])
        self.assertNotEqual(texts[0], texts[2])

    def test_goes_on_from_a_checkpoint_to_the_same_text(self):
        request = {"prompt": "The cat", "tokens": 40, "seed": 5}
        whole, job = self.run_job(request)
        text, resumed = self.run_job(request,
                                     resume_from=job.checkpoints[1].encode())
        self.assertEqual(text, whole)
        self.assertEqual(resumed.tokens, job.tokens[20:])

    def test_returns_what_it_has_when_it_is_cancelled(self):
        request = {"prompt": "The cat", "tokens": 40, "seed": 5}
        whole, _ = self.run_job(request)
        text, job = self.run_job(request, cancel_at=7)
        self.assertEqual(text, "The cat" + "".join(job.tokens))
        self.assertTrue(whole.startswith(text))
        text, _ = self.run_job(request,
                               resume_from=job.checkpoints[-1].encode())
        self.assertEqual(text, whole)

    def test_takes_a_plain_prompt(self):
        self.assertEqual(ngram_model.parse("The cat"),
                         ngram_model.Request("The cat", 100, 0, 20))

    def test_refuses_malformed_input(self):
        for request in ('{"tokens": 1', '{"tokens": "1"}', '{"tokens": true}',
                        '{"tokens": -1}', '{"tokens": 10001}',
                        '{"delay_ms": 10001}', '{"prompt": 1}', '{"temp": 1}'):
            with self.assertRaises(vigil_task.InvalidInput, msg=request):
                ngram_model.parse(request)

    def test_says_that_there_is_no_model(self):
        with self.assertRaisesRegex(vigil_task.TaskError, "warm-up"):
            ngram_model.run(None, FakeJob("The"))


if __name__ == "__main__":
    unittest.main()

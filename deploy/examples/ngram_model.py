#!/usr/bin/python3
"""A small language model as a warm task: streams words in the manner of Python.

Its warm-up learns which word follows which two in the documentation of the
standard library, some thousand docstrings, and writes that into the cache
directory; the task loads it once and then continues one prompt after another.

The input is a prompt, or JSON with any of these:
  {"prompt": "Return the", "tokens": 100, "seed": 0, "delay_ms": 20}
Each word is a token, with `delay_ms` before it; the result is the whole text.
The same seed gives the same text, also when the job was interrupted: a
checkpoint holds what was said so far, and a later attempt goes on from there.

Without Vigil, here and in your own copy, beside which vigil_task.py lies:
  mkdir /tmp/ngram
  VIGIL_WARM_UP=1 VIGIL_CACHE_DIR=/tmp/ngram python3 ngram_model.py
  VIGIL_CACHE_DIR=/tmp/ngram python3 ngram_model.py --try "Return the"
"""

from __future__ import annotations

import ast
import collections
import json
import os
import pathlib
import pickle
import random
import re
import sys
import sysconfig
import time
import warnings
from typing import Iterable, Iterator, NamedTuple, Optional

import vigil_task

MODULES_MAX = 2000  # The standard library has some 700 outside its tests.
MODULE_BYTES_MAX = 1 << 20
MODULES_PER_LINE = 50  # Of the warm-up's log, which is its sign of life.

TOKENS_MAX = 10_000
DELAY_MS_MAX = 10_000
WORDS_PER_CHECKPOINT = 10

WORD = re.compile(r"[A-Za-z][\w'-]*|[.,;:!?]")

Context = tuple[str, ...]


class Model:
    """Which words follow two, one or no words, as often as they did so."""

    def __init__(self) -> None:
        self._followers: dict[Context, list[str]] = (
            collections.defaultdict(list))

    def learn(self, text: str) -> None:
        words = split(text)
        for i, word in enumerate(words):
            for length in range(3):
                if length <= i:
                    self._followers[tuple(words[i - length:i])].append(word)

    def next_word(self, words: list[str], choice: random.Random) -> str:
        """Continues `words` by their longest end that was ever continued."""
        for length in (2, 1, 0):
            followers = self._followers.get(tuple(words[-length:][:length]))
            if followers:
                return choice.choice(followers)
        raise vigil_task.TaskError("the model has learned nothing")

    def save(self, path: pathlib.Path) -> None:
        with open(path, "wb") as file:
            pickle.dump(dict(self._followers), file)

    @classmethod
    def load(cls, path: pathlib.Path) -> Model:
        model = cls()
        with open(path, "rb") as file:
            model._followers = pickle.load(file)
        return model


def split(text: str) -> list[str]:
    return WORD.findall(text)


def join(words: Iterable[str]) -> str:
    return "".join(word if word in ".,;:!?" else " " + word
                   for word in words).lstrip()


def docstrings(path: pathlib.Path) -> Iterator[str]:
    """Yields the documentation of one module; nothing if it is malformed."""
    source = path.read_bytes()
    if len(source) > MODULE_BYTES_MAX:
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef,
                             ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                yield text


def find_modules(library: str) -> list[pathlib.Path]:
    """Lists the library's modules in a fixed order, without its tests."""
    found = []
    for directory, names, files in os.walk(library):
        names[:] = sorted(name for name in names
                          if name not in ("test", "tests", "__pycache__") and
                          not name.endswith("-packages"))
        found += [pathlib.Path(directory, name) for name in sorted(files)
                  if name.endswith(".py")]
    return found[:MODULES_MAX]


def warm_up(cache_dir: str, library: Optional[str] = None) -> None:
    """Learns from the library and leaves the model in `cache_dir`."""
    warnings.simplefilter("ignore")  # Of the modules that are read.
    model = Model()
    modules = find_modules(library or sysconfig.get_path("stdlib"))
    for done, path in enumerate(modules, 1):
        for text in docstrings(path):
            model.learn(text)
        if done % MODULES_PER_LINE == 0 or done == len(modules):
            print(f"ngram: read {done} of {len(modules)} modules",
                  file=sys.stderr, flush=True)
    model.save(model_path(cache_dir))


def model_path(cache_dir: str) -> pathlib.Path:
    return pathlib.Path(cache_dir, "ngram.pickle")


class Request(NamedTuple):
    prompt: str = ""
    tokens: int = 100
    seed: int = 0
    delay_ms: int = 20


def parse(text: str) -> Request:
    """Reads a job's input; raises InvalidInput if it is malformed."""
    if not text.startswith("{"):
        return Request(prompt=text)
    try:
        request = Request(**json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise vigil_task.InvalidInput(f"malformed input: {error}") from None
    for name, value in request._asdict().items():
        if type(value) is not type(Request._field_defaults[name]):
            raise vigil_task.InvalidInput(f"{name}: {value!r} is not right")
    for name, most in (("tokens", TOKENS_MAX), ("delay_ms", DELAY_MS_MAX)):
        if not 0 <= getattr(request, name) <= most:
            raise vigil_task.InvalidInput(f"{name}: from 0 to {most}")
    return request


def run(model: Optional[Model], job: vigil_task.Job) -> str:
    """Continues one prompt."""
    if model is None:
        raise vigil_task.TaskError("there is no model: its warm-up has failed")
    request = parse(job.text)
    prompt = split(request.prompt)
    said: list[str] = json.loads(job.resume_from or "[]")
    try:
        while len(said) < request.tokens:
            time.sleep(request.delay_ms / 1000)
            # By place, so that an interruption changes nothing.
            choice = random.Random(f"{request.seed} {len(said)}")
            said.append(model.next_word((prompt + said[-2:])[-2:],
                                        choice))
            job.token(join(["x", said[-1]])[1:])
            job.progress(len(said), request.tokens)
            if len(said) % WORDS_PER_CHECKPOINT == 0:
                job.checkpoint(json.dumps(said))
    except vigil_task.Cancelled:
        # Kept as the job's partial result, or to go on from.
        job.checkpoint(json.dumps(said))
    return join(prompt + said)


def main() -> None:
    path = model_path(os.environ.get("VIGIL_CACHE_DIR", "."))
    # There is none yet in the process that makes it.
    model = Model.load(path) if path.exists() else None
    vigil_task.serve(lambda job: run(model, job), warm_up=warm_up)


if __name__ == "__main__":
    main()

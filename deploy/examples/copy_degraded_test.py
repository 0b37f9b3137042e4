#!/usr/bin/python3
"""Proves that copy_degraded.py copies degraded modules, bytes and all, no
others, and overwrites nothing. How: results of three modules on disk.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "copy_degraded.py")

# No text in any encoding that Python knows, with a line end of its own.
MALFORMED = b"def f(:\r\n\0\xff"


class CopyDegradedTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.lib = self.scratch / "lib"
        self.out = self.scratch / "out"
        (self.lib / "p").mkdir(parents=True)
        for name in ("a.py", "p/bad.py", "worse.py"):
            (self.lib / name).write_bytes(MALFORMED)
        self.results = [
            {"state": "SUCCEEDED", "result": '{"module": "a.py"}'},
            self.degraded("p/bad.py"),
            {"state": "FAILED", "reason": "INVALID_INPUT"},
            self.degraded("worse.py"),
        ]

    def degraded(self, module: str) -> dict[str, object]:
        return {"state": "SUCCEEDED", "degraded": True, "result": json.dumps(
            {"root": f"{self.lib}", "output_dir": f"{self.out}",
             "module": f"{self.lib}/{module}"})}

    def copy(self) -> subprocess.CompletedProcess[str]:
        path = self.scratch / "results.jsonl"
        path.write_text("".join(json.dumps(result) + "\n"
                                for result in self.results))
        return subprocess.run([sys.executable, PROGRAM, path],
                              capture_output=True, text=True, check=False)

    def assert_refused(self, why: str) -> None:
        result = self.copy()
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn(why, result.stderr)

    def test_copies_each_degraded_module_and_no_other(self):
        result = self.copy()
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (0, "2\n", ""))
        found = sorted(path.relative_to(self.out).as_posix()
                       for path in self.out.rglob("*.py"))
        self.assertEqual(found, ["p/bad.py", "worse.py"])
        for name in found:
            self.assertEqual((self.out / name).read_bytes(), MALFORMED)

    def test_overwrites_nothing(self):
        self.out.mkdir()
        (self.out / "worse.py").write_text("x = 1")
        self.assert_refused("FileExistsError")
        self.assertEqual((self.out / "worse.py").read_text(), "x = 1")

    def test_writes_nothing_outside_the_output(self):
        self.results = [self.degraded("../results.jsonl")]
        self.assert_refused("is not below")
        self.assertFalse(self.out.exists())

    def test_refuses_a_result_that_names_no_module(self):
        for result in ("spam", "{}", '["a"]'):
            with self.subTest(result=result):
                self.results = [{"degraded": True, "result": result}]
                self.assert_refused("copy_degraded: ")


if __name__ == "__main__":
    unittest.main()

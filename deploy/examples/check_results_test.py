#!/usr/bin/python3
"""Proves that check_results.py accepts what is right and names what is not.

A small run of three modules, one of them malformed, is put on disk as the quick
start would leave it; each test spoils one thing about it.
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
                       "check_results.py")


class CheckResultsTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.results = [
            {"item": "/lib/a.py", "job_id": "1", "state": "SUCCEEDED"},
            {"item": "/lib/p/b.py", "job_id": "2", "state": "SUCCEEDED"},
            {"item": "/lib/bad.py", "job_id": "3", "state": "FAILED",
             "reason": "INVALID_INPUT"},
        ]
        self.malformed = ["/lib/bad.py"]
        self.files = ["a.py", "p/b.py"]
        # 64-bit numbers are strings in protobuf's JSON, and zeros may stay.
        self.states = {"STATE_SUCCEEDED": "2", "STATE_FAILED": "1",
                       "STATE_QUEUED": "0"}
        self.listed = {"SUCCEEDED": 2, "FAILED": 1}

    def check(self) -> subprocess.CompletedProcess[str]:
        def write(name: str, lines: list[str]) -> str:
            path = self.scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(line + "\n" for line in lines))
            return f"{path}"

        for name in self.files:
            write(f"out/{name}", [])
        states = [{"state": state, "jobs": jobs}
                  for state, jobs in self.states.items()]
        return subprocess.run([
            sys.executable, PROGRAM, "--root=/lib",
            f"--output_dir={self.scratch}/out",
            "--results=" + write("results", list(map(json.dumps,
                                                     self.results))),
            "--status=" + write("status", [json.dumps({"states": states})]),
            "--listed=" + write("listed", [json.dumps(self.listed)]),
            "--modules=" + write("modules", ["/lib/a.py", "/lib/bad.py",
                                             "/lib/p/b.py"]),
            "--malformed=" + write("malformed", self.malformed),
        ], capture_output=True, text=True, check=False)

    def assert_refused(self, difference: str) -> None:
        result = self.check()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(difference, result.stderr)
        self.assertEqual(result.stdout, "")

    def test_accepts_what_is_right_and_prints_a_failed_job(self):
        result = self.check()
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (0, "3\n", ""))

    def test_names_jobs_that_are_not_listed(self):
        self.listed["SUCCEEDED"] -= 1
        self.assert_refused("ListJobs says")

    def test_names_module_without_result(self):
        self.results.pop(0)
        self.assert_refused("no result: /lib/a.py")

    def test_names_module_with_two_results(self):
        self.results.append(self.results[0])
        self.assert_refused("more than one result: /lib/a.py")

    def test_names_result_of_no_module(self):
        self.results[0]["item"] = "/lib/c.py"
        self.assert_refused("result that nobody asked for: /lib/c.py")

    def test_names_malformed_module_that_succeeded(self):
        self.malformed.append("/lib/a.py")
        self.assert_refused("malformed, but not INVALID_INPUT: /lib/a.py")

    def test_names_module_that_was_refused_though_it_compiles(self):
        self.malformed.clear()
        self.assert_refused("INVALID_INPUT, but it compiles: /lib/bad.py")

    def test_names_module_that_failed_for_another_reason(self):
        self.results[0].update(state="FAILED", reason="SIGNALLED")
        self.assert_refused("compiles, but its job did not succeed: /lib/a.py")

    def test_names_missing_output(self):
        self.files.remove("p/b.py")
        self.assert_refused("succeeded without output: p/b.py")

    def test_names_output_of_a_job_that_failed(self):
        self.files.append("bad.py")
        self.assert_refused("output without success: bad.py")

    def test_names_counts_that_differ_from_the_coordinators(self):
        self.states["STATE_CANCELLED"] = "1"
        self.assert_refused("GetStatus says")


if __name__ == "__main__":
    unittest.main()

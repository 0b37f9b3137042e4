#!/usr/bin/python3
"""Proves that check_results.py accepts what is right and names what is not.

A small run of three modules, one of them malformed, is put on disk as the quick
start would leave it, with a sample that had the same fallback and one that had
none; each test spoils one thing about it.
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
        self.lib = self.scratch / "lib"
        self.results = [
            {"item": f"{self.lib}/a.py", "job_id": "1", "state": "SUCCEEDED"},
            {"item": f"{self.lib}/p/b.py", "job_id": "2", "state": "SUCCEEDED"},
            {"item": f"{self.lib}/bad.py", "job_id": "3", "state": "SUCCEEDED",
             "reason": "INVALID_INPUT", "degraded": True, "result": "{}"},
        ]
        # The last two once more, and once more without a fallback.
        self.sample = [{**result, "job_id": f"9{result['job_id']}"}
                       for result in self.results[1:]]
        self.plain_sample = [
            {**self.results[1], "job_id": "82"},
            {"item": f"{self.lib}/bad.py", "job_id": "83", "state": "FAILED",
             "reason": "INVALID_INPUT"},
        ]
        self.malformed = [f"{self.lib}/bad.py"]
        self.files = {"out/a.py": "x = 1", "out/p/b.py": "y  = 2",
                      "out/bad.py": "y  = 2 # b", "sample/p/b.py": "y  = 2",
                      "plain/p/b.py": "y  = 2"}
        # 64-bit numbers are strings in protobuf's JSON, and zeros may stay.
        self.states = {"STATE_SUCCEEDED": "6", "STATE_FAILED": "1",
                       "STATE_QUEUED": "0"}
        self.fallbacks = "2"
        # The newest batch first: the order says nothing.
        self.listed = {
            "states": {"SUCCEEDED": 6, "FAILED": 1}, "degraded": 2,
            "batches": [
                {"accepted": 2, "succeeded": 1, "degraded": 0, "failed": 1},
                {"accepted": 2, "succeeded": 2, "degraded": 1, "failed": 0},
                {"accepted": 3, "succeeded": 3, "degraded": 1, "failed": 0},
            ]}

    def check(self) -> subprocess.CompletedProcess[str]:
        def write(name: str, lines: list[str]) -> str:
            path = self.scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(line + "\n" for line in lines))
            return f"{path}"

        for name in ("a.py", "p/b.py", "bad.py"):
            write(f"lib/{name}", ["y  = 2 # b" if "b" in name else "x = 1"])
        for name, content in self.files.items():
            write(name, [content])
        states = [{"state": state, "jobs": jobs}
                  for state, jobs in self.states.items()]
        return subprocess.run([
            sys.executable, PROGRAM, f"--root={self.lib}",
            f"--output_dir={self.scratch}/out",
            "--results=" + write("results", list(map(json.dumps,
                                                     self.results))),
            "--sample",
            write("sampled", list(map(json.dumps, self.sample))),
            f"{self.scratch}/sample",
            "--plain_sample",
            write("plain_sampled", list(map(json.dumps, self.plain_sample))),
            f"{self.scratch}/plain",
            "--status=" + write("status", [json.dumps(
                {"states": states, "fallbacks": self.fallbacks})]),
            "--listed=" + write("listed", [json.dumps(self.listed)]),
            "--modules=" + write("modules", [
                f"{self.lib}/{name}" for name in ("a.py", "bad.py",
                                                  "p/b.py")]),
            "--malformed=" + write("malformed", self.malformed),
        ], capture_output=True, text=True, check=False)

    def assert_refused(self, difference: str) -> None:
        result = self.check()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(difference, result.stderr)
        self.assertEqual(result.stdout, "")

    def test_accepts_what_is_right_and_prints_a_degraded_job(self):
        result = self.check()
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (0, "3\n", ""))

    def test_names_jobs_that_are_not_listed(self):
        self.listed["states"]["SUCCEEDED"] -= 1
        self.assert_refused("ListJobs says")

    def test_names_degraded_jobs_that_are_not_counted_or_listed(self):
        self.fallbacks = "1"
        self.listed["degraded"] = 3
        self.assert_refused("degraded jobs: results say 2, GetStatus says 1\n"
                            "degraded jobs: results say 2, ListJobs says 3")

    def test_names_counts_of_a_batch_that_differ(self):
        self.listed["batches"][0]["degraded"] = 1
        self.assert_refused("ListBatches says")

    def test_names_batch_that_is_not_listed(self):
        self.listed["batches"].pop()
        self.assert_refused("ListBatches says")

    def test_names_module_without_result(self):
        self.results.pop(0)
        self.assert_refused(f"no result: {self.lib}/a.py")

    def test_names_module_with_two_results(self):
        self.results.append(self.results[0])
        self.assert_refused(f"more than one result: {self.lib}/a.py")

    def test_names_result_of_no_module(self):
        self.results[0]["item"] = f"{self.lib}/c.py"
        self.assert_refused(f"result that nobody asked for: {self.lib}/c.py")

    def test_names_malformed_module_that_succeeded(self):
        self.malformed.append(f"{self.lib}/a.py")
        self.assert_refused(
            "malformed, but not degraded for INVALID_INPUT: "
            f"{self.lib}/a.py")

    def test_names_malformed_module_whose_job_failed(self):
        self.results[2] = {**self.plain_sample[1], "job_id": "3"}
        self.assert_refused(
            "malformed, but not degraded for INVALID_INPUT: "
            f"{self.lib}/bad.py")

    def test_names_malformed_module_that_is_degraded_for_another_reason(self):
        self.results[2]["reason"] = "SIGNALLED"
        self.assert_refused(
            "malformed, but not degraded for INVALID_INPUT: "
            f"{self.lib}/bad.py")

    def test_names_module_that_was_refused_though_it_compiles(self):
        self.malformed.clear()
        self.assert_refused(
            "degraded for INVALID_INPUT, but it compiles: "
            f"{self.lib}/bad.py")

    def test_names_module_that_failed_for_another_reason(self):
        self.results[0].update(state="FAILED", reason="SIGNALLED")
        self.assert_refused(
            "compiles, but its job did not succeed by itself: "
            f"{self.lib}/a.py")

    def test_names_module_that_is_degraded_though_it_compiles(self):
        self.results[0].update(reason="SIGNALLED", degraded=True)
        self.assert_refused(
            "compiles, but its job did not succeed by itself: "
            f"{self.lib}/a.py")

    def test_names_missing_output(self):
        del self.files["out/p/b.py"]
        self.assert_refused("module without output: p/b.py")

    def test_names_degraded_module_that_was_not_copied(self):
        del self.files["out/bad.py"]
        self.assert_refused("module without output: bad.py")

    def test_names_copy_of_a_degraded_module_that_differs(self):
        self.files["out/bad.py"] = "y  = 2"
        self.assert_refused("degraded, but not the module itself: bad.py")

    def test_names_output_of_no_module(self):
        self.files["out/a.py.12.partial"] = ""
        self.assert_refused("output of no module: a.py.12.partial")

    def test_names_output_that_is_not_python(self):
        self.files["out/a.py"] = "def f(:"
        self.assert_refused("neither the module itself nor Python: a.py")

    def test_names_job_of_a_sample_that_ended_otherwise(self):
        self.sample[1]["reason"] = "SIGNALLED"
        self.assert_refused(f"ended otherwise in the sample: {self.lib}/bad.py")

    def test_names_job_of_a_sample_that_failed_beside_its_fallback(self):
        self.sample[1] = dict(self.plain_sample[1])
        self.assert_refused(f"ended otherwise in the sample: {self.lib}/bad.py")

    def test_names_degraded_job_of_a_sample_without_fallback(self):
        self.plain_sample[1] = dict(self.sample[1])
        self.assert_refused(f"ended otherwise in the sample: {self.lib}/bad.py")

    def test_names_output_of_a_sample_that_differs_or_is_missing(self):
        self.files["sample/p/b.py"] = "y = 2"
        self.assert_refused("written otherwise in the sample: p/b.py")
        (self.scratch / "sample/p/b.py").unlink()
        del self.files["sample/p/b.py"]
        self.assert_refused("written otherwise in the sample: p/b.py")

    def test_names_output_of_a_plain_sample_that_differs(self):
        self.files["plain/p/b.py"] = "y = 2"
        self.assert_refused("written otherwise in the sample: p/b.py")

    def test_names_counts_that_differ_from_the_coordinators(self):
        self.states["STATE_CANCELLED"] = "1"
        self.assert_refused("GetStatus says")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Proves that README shows what is there: each example marked with a file's
name is that file, and each state, clock and nesting policy of the protos is in
its tables."""
import pathlib
import re
import unittest

README = pathlib.Path("README.md").read_text(encoding="utf-8")
NESTING = pathlib.Path("worker/NESTING.md").read_text(encoding="utf-8")


class ReadmeTest(unittest.TestCase):

    def test_examples_are_the_files_they_name(self):
        blocks = re.findall(r"<!-- (\S+) -->\n```\w+\n(.*?)```", README, re.S)
        self.assertEqual([name for name, _ in blocks],
                         ["deploy/examples/run_job.cc",
                          "deploy/examples/run_job.py",
                          "deploy/examples/run_batch.py",
                          "deploy/examples/count_letters.py",
                          "deploy/examples/count_letters.cc"])
        for name, text in blocks:
            self.assertEqual(
                text, pathlib.Path(name).read_text(encoding="utf-8"), name)

    def test_every_state_is_in_the_table(self):
        proto = pathlib.Path("proto/vigil/v1/job.proto").read_text()
        states = re.findall(r"^    STATE_(\w+) = [1-9]", proto, re.M)
        self.assertEqual(len(states), 6)
        table = README[README.index("## What becomes of a job"):
                       README.index("## Clocks")]
        for state in states:
            self.assertIn(state, table)

    def test_every_clock_is_in_the_table(self):
        proto = pathlib.Path("proto/vigil/v1/policy.proto").read_text()
        clocks = re.findall(r"Duration (\w+) = ", proto[:proto.index(
            "message RetryPolicy")])
        self.assertEqual(len(clocks), 7)
        for clock in clocks:
            self.assertIn(f"| {clock.removesuffix('_timeout')} |", README)

    def test_every_nesting_policy_is_in_the_tables(self):
        proto = pathlib.Path("proto/vigil/v1/job.proto").read_text()
        policies = re.findall(r"^    ON_NESTED_POOL_(\w+) = [1-9]", proto, re.M)
        self.assertEqual(len(policies), 5)
        for policy in policies:
            self.assertRegex(README, rf"\| `\S*={policy.lower()}` \|")
            self.assertIn(f"| {policy} |", NESTING)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Proves that README shows what is there: each example marked with a file's
name is that file, and each state, clock and nesting policy of the protos is in
its tables."""
import pathlib
import re
import unittest

README = pathlib.Path("README.md").read_text(encoding="utf-8")
CC_README = pathlib.Path("client/cc/README.md").read_text(encoding="utf-8")
NESTING = pathlib.Path("worker/NESTING.md").read_text(encoding="utf-8")


class ReadmeTest(unittest.TestCase):

    def check_examples(self, page, names):
        blocks = re.findall(r"<!-- (\S+) -->\n```\w+\n(.*?)```", page, re.S)
        self.assertEqual([name for name, _ in blocks], names)
        for name, text in blocks:
            self.assertEqual(
                text, pathlib.Path(name).read_text(encoding="utf-8"), name)

    def test_examples_are_the_files_they_name(self):
        self.check_examples(README, ["deploy/examples/run_job.cc",
                                     "tests/clients/python/run_job.py",
                                     "tests/clients/node/run_job.mjs",
                                     "tests/clients/go/run_job.go",
                                     "tests/clients/connect/run_job.mjs",
                                     "deploy/examples/run_batch.py",
                                     "deploy/examples/count_letters.py",
                                     "deploy/examples/count_letters.cc"])

    def test_examples_of_the_cpp_client_are_the_files_they_name(self):
        self.check_examples(CC_README, ["deploy/examples/run_job.cc",
                                        "deploy/examples/cancel_on_leave.cc",
                                        "deploy/examples/run_batch.cc",
                                        "deploy/examples/coroutines.cc"])

    def test_every_public_header_of_the_cpp_client_is_in_its_table(self):
        build = pathlib.Path("client/cc/BUILD").read_text(encoding="utf-8")
        headers = re.search(r"headers = \[(.*?)\]", build, re.S)[1]
        names = re.findall(r'"(\w+)"', headers)
        self.assertGreater(len(names), 10)
        for name in names:
            self.assertIn(f"`{name}.h`", CC_README)

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

#!/usr/bin/python3
"""Proves that the protos follow buf's standard rules and are commented in full,
and that a fault would be found: some are put into a copy.
"""
import sys
import unittest

sys.path.insert(0, "proto")
from buf_case import BufTestCase  # pylint: disable=wrong-import-position


class LintTest(BufTestCase):

    def lint(self):
        """What buf has to say."""
        return self.buf("lint")

    def test_protos_follow_the_rules(self):
        self.assertEqual(self.lint(), "")

    def test_finds_a_field_without_a_comment(self):
        self.change("v1/batch.proto", "  // Jobs that ended FAILED.\n", "")
        self.assertIn('Field "failed"', self.lint())

    def test_finds_an_enum_value_without_its_prefix(self):
        self.change("v1/job.proto", "PHASE_WARMING = 1", "WARMING = 1")
        self.assertIn('prefixed with "PHASE_"', self.lint())

    def test_finds_a_name_in_camel_case_in_the_frames_of_tasks(self):
        self.change("task/v1/frames.proto", "bytes data = 2",
                    "bytes aDatum = 2")
        self.assertIn("lower_snake_case", self.lint())


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Proves that the protos keep what was released last (released/vigil.binpb),
and that a break would be found: changes are put into a copy. What may be added
may be added.
"""
import sys
import unittest

sys.path.insert(0, "proto")
# pylint: disable=wrong-import-position
from buf_case import RELEASED, BufTestCase


class BreakingTest(BufTestCase):

    def breaks(self):
        """What buf has to say."""
        return self.buf("breaking", "--against", RELEASED)

    def test_protos_keep_what_was_released(self):
        self.assertEqual(self.breaks(), "")

    def test_finds_a_removed_field(self):
        self.change("v1/output.proto", "  int64 size_bytes = 4;\n", "")
        self.assertIn('field "4" with name "size_bytes"', self.breaks())

    def test_finds_a_removed_field_of_the_frames_of_tasks(self):
        self.change("task/v1/frames.proto", "  bool retryable = 3;\n", "")
        self.assertIn('"retryable"', self.breaks())

    def test_finds_a_changed_type(self):
        self.change("v1/output.proto", "int64 size_bytes = 4",
                    "int32 size_bytes = 4")
        self.assertIn('changed type from "int64" to "int32"', self.breaks())

    def test_finds_a_field_with_another_number(self):
        self.change("v1/output.proto", "int64 size_bytes = 4",
                    "int64 size_bytes = 5")
        self.assertIn('"size_bytes"', self.breaks())

    def test_finds_a_renamed_enum_value(self):
        self.change("v1/job.proto", "STATE_BACKOFF = 3", "STATE_WAITING = 3")
        self.assertIn('from "STATE_BACKOFF" to "STATE_WAITING"', self.breaks())

    def test_finds_a_removed_method(self):
        self.change("v1/job_service.proto", "  rpc ReadOutput("
                    "ReadOutputRequest) returns (ReadOutputResponse);\n", "")
        self.assertIn('"ReadOutput"', self.breaks())

    def test_finds_a_method_that_streams_no_more(self):
        self.change("v1/job_service.proto", "returns (stream WatchJobResponse)",
                    "returns (WatchJobResponse)")
        self.assertIn('"WatchJob"', self.breaks())

    def test_lets_fields_values_messages_and_methods_be_added(self):
        self.change("v1/output.proto", "  int64 size_bytes = 4;\n",
                    "  int64 size_bytes = 4;\n  string more = 5;\n")
        self.change("v1/job.proto", "    STATE_CANCELLED = 6",
                    "    STATE_MORE = 7;\n    STATE_CANCELLED = 6")
        self.change("v1/job_service.proto", "  rpc ReadOutput(",
                    "  rpc ReadMore(ReadMoreRequest) returns "
                    "(ReadMoreResponse);\n  rpc ReadOutput(")
        self.change("v1/job_service.proto", "message ReadOutputRequest {",
                    "message ReadMoreRequest {}\nmessage ReadMoreResponse {}\n"
                    "message ReadOutputRequest {")
        self.assertEqual(self.breaks(), "")


if __name__ == "__main__":
    unittest.main()

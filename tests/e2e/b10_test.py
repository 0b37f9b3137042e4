"""Row B10 at a twentieth of its size: a thousand short jobs with injected
exhaustion and malformed items keep the bounds of the row. That bounds can be
missed is shown with faults that no retry cures, and with results spoiled by
hand. How: the reproduction that tests/b10/run.sh runs whole.
"""
import json
import os
import sys
import types
import unittest

sys.path.insert(0, os.path.abspath("tests/b10"))
import reproduction  # pylint: disable=wrong-import-position

JOBS = 1000
BOUNDS = ["thread-class failures before retry", "cured by the retry",
          "fallbacks", "net", "malformed", "pipeline failures"]


def missed(figures):
    """The names of the figures that miss their bounds."""
    return [figure.name for figure in figures if not figure.met()]


class B10Test(unittest.TestCase):

    def counts(self, report):
        """The figures' counts, in the order of BOUNDS."""
        self.assertEqual([figure.name for figure in report.figures], BOUNDS)
        return [figure.count for figure in report.figures]

    def test_B10_a_thousand_jobs_keep_the_bounds(self):
        report = reproduction.reproduce(JOBS)
        self.assertTrue(report.good(), f"\n{report}")
        self.assertEqual(self.counts(report), [10, 10, 0, 0, 10, 0])

    def test_B10_what_no_retry_cures_misses_them_and_nothing_is_lost(self):
        report = reproduction.reproduce(
            JOBS, incurable=reproduction.EXHAUSTED)
        self.assertFalse(report.good())
        self.assertEqual(report.faults, [])
        self.assertEqual(missed(report.figures),
                         ["cured by the retry", "fallbacks", "net"])
        self.assertEqual(self.counts(report), [10, 0, 10, 10, 10, 0])

    def test_B10_a_result_that_is_lost_wrong_or_double_is_a_failure(self):
        items = [reproduction.make_item(number, reproduction.INCURABLE)
                 for number in range(400)]
        good = [{"index": index, "item": item.line, "state": "SUCCEEDED",
                 "reason": "" if item.expected else "INVALID_INPUT",
                 "degraded": not item.expected,
                 "result": item.expected or item.line}
                for index, item in enumerate(items, 1)]
        self.assertEqual(
            missed(reproduction.figures_of(items, good, {37})), [])
        for spoiled in (good[1:], [{**good[0], "result": "x"}, *good[1:]],
                        [{**good[0], "state": "FAILED"}, *good[1:]],
                        [{**good[0], "item": good[1]["item"]}, *good[1:]],
                        # A fallback that is not the input.
                        [{**good[0], "degraded": True}, *good[1:]],
                        [*good, good[0]]):
            figures = reproduction.figures_of(items, spoiled, {37})
            self.assertEqual(missed(figures), ["pipeline failures"])
            self.assertEqual(figures[-1].count, 1)

    def telemetry(self, seconds=1, **fields):
        """Faults and notes where `vigil status` shows these fields."""
        shown = json.dumps({"telemetry": fields}).encode()
        cluster = types.SimpleNamespace(
            vigil=lambda *_: types.SimpleNamespace(stdout=shown))
        results = [
            {"state": "SUCCEEDED", "attempts": 2},
            {"state": "SUCCEEDED", "attempts": 4, "degraded": True},
            {"state": "SUCCEEDED", "attempts": 1},
        ]
        return reproduction.check_telemetry(cluster, results, seconds)

    def test_B10_telemetry_is_compared_where_it_covers_the_run(self):
        right = {"window": "600s", "jobs": "3", "fallbacks": "1",
                 "retries_cured": "1", "health": "HEALTH_WARNING",
                 # Successes have no reason.
                 "reasons": [{"task_type": "transform", "attempts": "2"},
                             {"reason": "REASON_RESOURCE_EXHAUSTED",
                              "attempts": "5"}]}
        faults, notes = self.telemetry(**right)
        self.assertEqual(faults, [])
        self.assertEqual(notes, ["telemetry: 5 attempts RESOURCE_EXHAUSTED, "
                                 "HEALTH_WARNING"])
        for name in ("jobs", "fallbacks", "retries_cured"):
            faults, _ = self.telemetry(**{**right, name: "2"})
            self.assertEqual(len(faults), 1)
        for fields in ({}, {"window": "600s"}, {**right, "seconds": 601}):
            faults, notes = self.telemetry(**fields)
            self.assertEqual(faults, [])
            self.assertIn("no telemetry", notes[0])


if __name__ == "__main__":
    unittest.main()

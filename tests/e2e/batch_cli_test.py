"""Proves `vigil batch` from a shell's point of view (rows B3, B4, B7, B8, C4):
order, deadlines, stop rules, fallbacks, and going on with what did not succeed.
How: real commands, results as JSON lines, exit statuses.
"""
import json
import unittest

from cluster import Cluster


class BatchCliTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(local_slots=2)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def batch(self, script, items, *flags, status=0):
        """Runs a batch of `sh -c script sh ITEM`; returns results, stderr."""
        done = self.cluster.vigil(
            "batch", "-o", "json", "--max_processes=8", *flags, "--",
            "/bin/sh", "-c", script, "sh", "{}",
            stdin=None, input="".join(f"{one}\n" for one in items).encode())
        err = done.stderr.decode()
        self.assertEqual(done.returncode, status, err)
        return [json.loads(line) for line in done.stdout.splitlines()], err

    @staticmethod
    def states(results):
        """State by item."""
        return {one["item"]: one["state"] for one in results}

    def test_C4_sequential_is_in_order_and_alone(self):
        lock = self.cluster.dir / "lock"
        results, _ = self.batch(f"mkdir {lock} && sleep 0.05 && rmdir {lock}",
                                "dcba", "--sequential")
        self.assertEqual([one["item"] for one in results], list("dcba"))
        self.assertEqual(set(self.states(results).values()), {"SUCCEEDED"})

    def test_C9_in_order_holds_results_back(self):
        results, _ = self.batch("sleep $1", ["0.6", "0", "0.1"], "--in_order")
        self.assertEqual([one["index"] for one in results], [1, 2, 3])

    def test_B7_a_deadline_keeps_what_has_finished(self):
        results, err = self.batch(
            "sleep $1", ["0", "600", "600", "600"], "--deadline=1s",
            "--max_in_flight=3", "--shutdown_grace=0", status=123)
        states = self.states(results[:1])
        self.assertEqual(states, {"0": "SUCCEEDED"})
        self.assertEqual([one["state"] for one in results[1:]],
                         ["CANCELLED"] * (len(results) - 1))
        self.assertIn("the batch was stopped: not done 1s after it was made",
                      err)

    def test_B8_failures_stop_it_if_they_are_to(self):
        items = ["1", "0", "1", "1", "0", "0"]
        results, _ = self.batch("exit $1", items, "--sequential", status=123)
        self.assertEqual(len(results), 6)
        results, err = self.batch("exit $1", items, "--sequential",
                                  "--stop_after=2-in-a-row", status=123)
        self.assertEqual(len(results), 4)
        self.assertIn("2 items failed one after the other", err)
        self.assertIn("2 items were not run", err)
        _, err = self.batch("exit 0", [], "--stop_after=many", status=125)
        self.assertIn("`10`, `5-in-a-row` and `20%`", err)

    def test_B4_a_fallback_is_marked_and_counted(self):
        results, err = self.batch('[ "$1" != bad ]', ["good", "bad"],
                                  "--fallback=value:instead")
        by_item = {one["item"]: one for one in results}
        self.assertEqual(by_item["bad"]["state"], "SUCCEEDED")
        self.assertTrue(by_item["bad"]["degraded"])
        self.assertEqual(by_item["bad"]["result"], "instead")
        self.assertNotIn("degraded", by_item["good"])
        self.assertRegex(err, r"SUCCEEDED +NONZERO_EXIT +1 +degraded")

    def test_B3_a_retry_that_helped_is_counted(self):
        results, err = self.batch(
            '[ $VIGIL_ATTEMPT = 2 ]', ["x"], "--retry_on=NONZERO_EXIT",
            "--maximum_attempts=2")
        self.assertEqual(results[0]["attempts"], 2)
        self.assertIn("1 retries of 1 jobs", err)

    def test_C9_resume_runs_what_did_not_succeed(self):
        ready = self.cluster.dir / "ready"
        script = f'[ "$1" != two ] || [ -e {ready} ]'
        items = ["one", "two", "three"]
        results, _ = self.batch(script, items, status=123)
        file = self.cluster.dir / "results"
        file.write_text("".join(json.dumps(one) + "\n" for one in results))
        ready.touch()
        again, err = self.batch(script, items, f"--resume={file}")
        self.assertEqual([(one["index"], one["item"], one["state"])
                          for one in again], [(2, "two", "SUCCEEDED")])
        self.assertIn("2 items had succeeded before and were left out", err)
        # Appended, it is the whole.
        with open(file, "a", encoding="utf-8") as out:
            out.write(json.dumps(again[0]) + "\n")
        none, _ = self.batch(script, items, f"--resume={file}")
        self.assertEqual(none, [])
        # Other items than those.
        _, err = self.batch(script, items[::-1], f"--resume={file}",
                            status=125)
        self.assertIn("item 1 is not the one", err)
        _, err = self.batch(script, items, "--resume=/nonesuch", status=125)
        self.assertIn("--resume: cannot read `/nonesuch`", err)


if __name__ == "__main__":
    unittest.main()

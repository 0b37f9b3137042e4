#!/usr/bin/python3
"""Proves that what a killed harness leaves behind is removed by the next one,
and nothing of one that lives."""
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from cluster import alive, processes_with, wait_until
from network import NAMES, PREFIX

HARNESS = [sys.executable, "tests/chaos/partitions.py", "--seed=1"]
TMP = pathlib.Path(os.environ.get("E2E_TMP", "/tmp"))


def names(pid):
    """What is named after a process."""
    return sorted([path for parent in (NAMES, TMP)
                   for path in parent.iterdir()
                   if f"{path.name}-".startswith(f"{PREFIX}-{pid}-")])


class LeftoversTest(unittest.TestCase):

    def test_only_those_of_the_dead_are_removed(self):
        first = subprocess.Popen([*HARNESS, "--seconds=600"],
                                 stdout=subprocess.PIPE, text=True)
        self.addCleanup(first.stdout.close)
        self.addCleanup(first.wait)
        self.addCleanup(first.kill)
        # Its second line says that it has begun, or cannot.
        first.stdout.readline()
        line = first.stdout.readline()
        if line.startswith("SKIPPED"):
            print(line, end="")
            return
        mark = str(TMP / f"{PREFIX}-{first.pid}")
        self.assertEqual(len(names(first.pid)), 6)
        wait_until(lambda: len(processes_with(mark)) > 10, "jobs run")

        # One that has nothing to do, beside it: nothing of it is touched.
        subprocess.run([*HARNESS, "--seconds=0"], check=True)
        self.assertEqual(len(names(first.pid)), 6)
        self.assertIsNone(first.poll())

        first.send_signal(signal.SIGKILL)
        first.wait()
        self.assertEqual(len(names(first.pid)), 6)
        second = subprocess.run([*HARNESS, "--seconds=0"], check=True,
                                capture_output=True, text=True)
        self.assertIn("faults 0", second.stdout)
        self.assertEqual(names(first.pid), [])
        wait_until(lambda: not any(alive(pid) for pid in processes_with(mark)),
                   "all its processes are gone")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Proves that analyse_audio.py measures what is there: tones of known level and
frequency, whole and in chunks, and what is no sound at all. How: sounds that
sox makes, analysed by the program itself (--try) and by its functions.
"""

from __future__ import annotations

import array
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import analyse_audio  # pylint: disable=wrong-import-position
import vigil_task  # pylint: disable=wrong-import-position

RATE = 8000


class AnalyseAudioTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def sound(self, *effects: str, name: str = "a.wav") -> str:
        path = f"{self.scratch}/{name}"
        subprocess.run(["sox", "-D", "-n", "-r", f"{RATE}", "-c", "1", "-b",
                        "16", path, *effects], check=True)
        return path

    def try_it(self, **request) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, f"{HERE}/analyse_audio.py", "--try",
             json.dumps(request)], capture_output=True, text=True, check=False)

    def analyse(self, file: str, **request):
        done = self.try_it(file=file, **{"chunk_seconds": 1, **request})
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def assert_tone(self, figures, frequency, peak):
        """That of a sine, whose root mean square is its peak over sqrt(2)."""
        self.assertAlmostEqual(figures["peak"], peak, delta=0.002)
        self.assertAlmostEqual(figures["rms"], peak / math.sqrt(2),
                               delta=0.002)
        # Up to one period is missing of each chunk.
        self.assertAlmostEqual(figures["frequency_hz"], frequency, delta=2)

    def test_a_tone_has_its_level_and_frequency_in_each_chunk(self):
        result = self.analyse(
            self.sound("synth", "2.5", "sine", "440", "gain", "-6.0206"))
        self.assertEqual(result["chunks_total"], 3)
        self.assertEqual(
            [(chunk["start"], chunk["seconds"], chunk["samples"])
             for chunk in result["chunks"]],
            [(0, 1, RATE), (1, 1, RATE), (2, 0.5, RATE // 2)])
        for figures in [*result["chunks"], result["summary"]]:
            self.assert_tone(figures, 440, 0.5)
        self.assertEqual(result["summary"]["samples"], RATE * 5 // 2)

    def test_chunks_are_of_their_own_part_of_the_file(self):
        self.sound("synth", "1", "sine", "200", "gain", "-6.0206",
                   name="low.wav")
        self.sound("synth", "1", "sine", "1000", "gain", "-20", name="high.wav")
        path = f"{self.scratch}/both.flac"
        subprocess.run(["sox", f"{self.scratch}/low.wav",
                        f"{self.scratch}/high.wav", path], check=True)
        low, high = self.analyse(path)["chunks"]
        self.assert_tone(low, 200, 0.5)
        self.assert_tone(high, 1000, 0.1)

    def test_silence_has_no_level_and_no_crossings(self):
        silence = self.analyse(self.sound("trim", "0", "1"))["summary"]
        self.assertEqual((silence["rms"], silence["peak"],
                          silence["zero_crossings"]), (0, 0, 0))

    def test_known_samples_have_known_figures(self):
        measured = analyse_audio.measure(
            array.array("h", [16384, -16384, 16384, -16384]), 4)
        self.assertEqual(measured, {
            "seconds": 1, "samples": 4, "rms": 0.5, "peak": 0.5,
            "zero_crossings": 3, "frequency_hz": 1.5})

    def test_a_later_attempt_goes_on_behind_the_checkpoint(self):
        path = self.sound("synth", "3", "sine", "440")
        kept = [{"start": 0.0, "seconds": 1.0, "samples": RATE, "rms": 0.25,
                 "peak": 0.25, "zero_crossings": 0, "frequency_hz": 0.0}]
        said = []
        job = vigil_task.Job({"attempt_id": "", "start": {
            "input": {"text": json.dumps({"file": path, "chunk_seconds": 1})},
            "checkpoint": {"text": json.dumps(kept)}}},
                             lambda line, _: said.append(json.loads(line)))
        result = analyse_audio.analyse(job)
        self.assertEqual(result["chunks"][0], kept[0])
        self.assertEqual(len(result["chunks"]), 3)
        self.assertEqual(
            [frame["progress"]["done"] for frame in said
             if "progress" in frame], [1, 2, 3])

    def assert_invalid(self, text, **request):
        done = self.try_it(**request)
        self.assertEqual(done.returncode, os.EX_DATAERR, done.stderr)
        self.assertIn("REASON_INVALID_INPUT", done.stderr)
        self.assertIn(text, done.stderr)

    def test_what_is_no_sound_is_invalid_input(self):
        text = self.scratch / "text.wav"
        text.write_text("no sound")
        for path in (text, self.scratch / "none.wav", self.scratch):
            with self.subTest(path=path):
                self.assert_invalid("sox FAIL", file=f"{path}",
                                    chunk_seconds=1)

    def test_what_is_no_request_is_invalid_input(self):
        good = {"file": self.sound("synth", "0.1", "sine", "440"),
                "chunk_seconds": 1}
        self.analyse(**good)
        for text, bad in (("chunk_seconds: from 0.05", {"chunk_seconds": 0}),
                          ("chunk_seconds: from 0.05", {"chunk_seconds": 61}),
                          ("delay_seconds: from 0", {"delay_seconds": 61}),
                          ("delay_from_chunk: from 0",
                           {"delay_from_chunk": -1}),
                          ("malformed input", {"chunk_seconds": "1"}),
                          ("malformed input", {"chunks": 1}),
                          ("file: a path", {"file": 0})):
            with self.subTest(bad=bad):
                self.assert_invalid(text, **{**good, **bad})
        self.assert_invalid("malformed input", file=good["file"])


if __name__ == "__main__":
    unittest.main()

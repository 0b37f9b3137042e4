"""Chunked audio analysis, the example of deploy/examples/audio_songs.sh, with
short sounds: twelve songs in two batches, one song at a time, batch 1 then
batch 2 (row C4), and a slow song that is cut short and keeps the chunks that it
had done (row C3). The figures are those of the task without Vigil.
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from cluster import PYTHON, Cluster, State
from deadline_case import seconds

EXAMPLES = os.path.abspath("deploy/examples")
SONGS = 6  # Of a batch.

# Five chunks a tone, of which the slow one is to do four.
TONE_SECONDS = 2.5
CHUNK_SECONDS = 0.5
SLOW_DONE = 4
CHUNKS = 5


def lines(text):
    """The JSON values of some lines."""
    return [json.loads(line) for line in text.splitlines()]


class AudioTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.dir = pathlib.Path(scratch.name)
        subprocess.run(
            [PYTHON, f"{EXAMPLES}/make_songs.py", cls.dir,
             f"--seconds={TONE_SECONDS}", f"--chunk_seconds={CHUNK_SECONDS}"],
            check=True)
        cls.cluster = Cluster(
            local_slots=2, flags=[f"--catalog={EXAMPLES}/catalog.textproto"])
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.stop)
        cls.songs, cls.results = [], []
        for name in ("batch1", "batch2"):
            songs = (cls.dir / f"{name}.jsonl").read_bytes()
            ran = cls.batch(songs, "--sequential")
            assert ran.returncode == 0, ran.stderr
            (cls.dir / f"{name}.results").write_bytes(ran.stdout)
            cls.songs.append(lines(songs))
            cls.results.append(lines(ran.stdout))

    @classmethod
    def batch(cls, songs, *flags):
        """Runs a batch of songs, one a line."""
        return cls.cluster.vigil("batch", "--task_type=analyse_audio",
                                 "--input={}", "-o", "json", *flags,
                                 input=songs, stdin=None)

    def check(self, *names):
        """Runs check_songs.py on files of inputs and results, in turn."""
        return subprocess.run(
            [PYTHON, f"{EXAMPLES}/check_songs.py",
             *(self.dir / name for name in names)],
            capture_output=True, text=True, check=False)

    def test_C4_batch_1_then_batch_2_one_song_at_a_time_in_order(self):
        for songs, results in zip(self.songs, self.results):
            self.assertEqual(len(songs), SONGS)
            self.assertEqual([result["index"] for result in results],
                             list(range(1, SONGS + 1)))
            self.assertEqual([json.loads(result["item"]) for result in results],
                             songs)
        jobs = {job.job_id: job for job in self.cluster.list_jobs()}
        ran = [jobs[result["job_id"]]
               for results in self.results for result in results]
        self.assertEqual(len({job.batch_id for job in ran}), 2)
        for before, after in zip(ran, ran[1:]):
            self.assertGreaterEqual(after.start_time.ToNanoseconds(),
                                    before.end_time.ToNanoseconds())

    def test_C3_C4_all_songs_have_the_figures_that_they_have_without_vigil(
            self):
        checked = self.check("batch1.jsonl", "batch1.results",
                             "batch2.jsonl", "batch2.results")
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        rows = checked.stdout.splitlines()
        self.assertEqual(len(rows), 2 * (1 + SONGS), checked.stdout)
        self.assertEqual([f"{SLOW_DONE} of {CHUNKS}" in row and
                          "truncated: SLOW_CHUNKS" in row
                          for row in rows].count(True), 1, checked.stdout)

    def test_C3_two_slow_chunks_cut_a_song_short_and_the_rest_is_kept(self):
        slow, = [result for results in self.results for result in results
                 if result.get("truncated")]
        self.assertEqual((slow["state"], slow["reason"]),
                         ("SUCCEEDED", "SLOW_CHUNKS"))
        self.assertIn("2 in a row were slower than expected", slow["message"])
        self.assertIn("delay_seconds", json.loads(slow["item"]))
        result = json.loads(slow["result"])
        self.assertEqual((len(result["chunks"]), result["chunks_total"]),
                         (SLOW_DONE, CHUNKS))
        self.assertEqual(result["summary"]["seconds"],
                         SLOW_DONE * CHUNK_SECONDS)
        job = self.cluster.get(slow["job_id"])
        self.assertEqual(job.state, State.STATE_SUCCEEDED)
        self.assertEqual((job.truncation.chunks_done,
                          job.truncation.chunks_total), (SLOW_DONE, CHUNKS))

    def test_C3_a_chunk_past_its_timeout_stops_a_song_while_it_runs(self):
        song = {**self.songs[0][0], "delay_seconds": 60, "delay_from_chunk": 1}
        ran = self.batch(json.dumps(song).encode(), "--chunk_timeout=2s")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        result, = lines(ran.stdout)
        self.assertTrue(result["truncated"])
        self.assertIn("(chunk_timeout 2s)", result["message"])
        self.assertEqual(len(json.loads(result["result"])["chunks"]), 1)
        job = self.cluster.get(result["job_id"])
        self.assertLess(seconds(job.attempts[0].evidence.age), 30)
        # It was asked and has answered: its process stays for the next song.
        self.assertFalse(job.attempts[0].HasField("exit"))

    def test_B2_a_file_that_is_no_sound_fails_alone(self):
        song = self.songs[0][0]
        noise = {**song, "file": __file__}
        ran = self.batch(f"{json.dumps(noise)}\n{json.dumps(song)}\n".encode(),
                         "--sequential")
        self.assertEqual(ran.returncode, 123, ran.stderr)
        bad, good = lines(ran.stdout)
        self.assertEqual((bad["state"], bad["reason"]),
                         ("FAILED", "INVALID_INPUT"))
        self.assertIn("sox FAIL", bad["message"])
        self.assertEqual(good["result"], self.results[0][0]["result"])

    def test_C3_C4_the_check_names_what_is_wrong(self):
        first = self.results[0]
        whole = next(i for i, result in enumerate(first)
                     if not result.get("truncated"))
        slow = next(i for i, result in enumerate(first)
                    if result.get("truncated"))
        for place, fields, what in (
                (whole, {"result": first[whole]["result"].replace(
                    '"rms":', '"rms":1')}, "other figures than without Vigil"),
                (whole, {"truncated": True}, "not whole"),
                (whole, {"state": "FAILED"}, "FAILED"),
                (slow, {"truncated": False}, "not truncated for SLOW_CHUNKS"),
                (slow, {"reason": "TASK_ERROR"},
                 "not truncated for SLOW_CHUNKS"),
                (slow, {"result": json.dumps(
                    {**json.loads(first[slow]["result"]), "chunks": []})},
                 f"0 of {CHUNKS} chunks were done"),
                (whole, {"item": first[slow]["item"]}, "in their order")):
            with self.subTest(what=what, place=place):
                spoiled = [dict(result) for result in first]
                spoiled[place].update(fields)
                (self.dir / "spoiled").write_text(
                    "\n".join(map(json.dumps, spoiled)) + "\n")
                checked = self.check("batch1.jsonl", "spoiled")
                self.assertEqual(checked.returncode, 1, checked.stdout)
                self.assertIn(what, checked.stderr)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Checks the results of make_songs.py's batches and prints them as a table.

Usage: check_songs.py (INPUTS RESULTS)...
INPUTS are the lines that `vigil batch` was given, RESULTS what it wrote by `-o
json`. Every song has one result, in the order of its batch, and the figures
that the task gives without Vigil (analyse_audio.py --try). Only a song that is
slow on purpose is truncated: after two slow chunks, with the figures of those
that were done. Prints each difference on stderr, and exits 1, if there is any.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Optional

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "analyse_audio.py")

# As the catalog has it: chunk_policy.max_consecutive_slow_chunks.
SLOW_CHUNKS_MAX = 2

ROW = "{:<14} {:>8} {:>8} {:>7} {:>7} {:>7}  {}"

Record = dict[str, Any]


def read(path: str) -> list[Record]:
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def analyse_directly(song: Record) -> Record:
    """What the task says of a song without Vigil, and without waiting."""
    request = {name: value for name, value in song.items()
               if not name.startswith("delay_")}
    done = subprocess.run(
        ["/usr/bin/python3", TASK, "--try", json.dumps(request)], check=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout)


def difference(song: Record, record: Record, result: Record,
               direct: Record) -> Optional[str]:
    """What is wrong about a song's result; None: nothing."""
    done, total = len(result["chunks"]), direct["chunks_total"]
    if result["chunks_total"] != total:
        return f"{result['chunks_total']} chunks, without Vigil {total}"
    if result["chunks"] != direct["chunks"][:done]:
        return "other figures than without Vigil"
    if "delay_seconds" not in song:
        if record.get("truncated") or record["reason"]:
            return f"not whole: {record['reason']}: {record['message']}"
        return None if result == direct else "other figures than without Vigil"
    if not record.get("truncated") or record["reason"] != "SLOW_CHUNKS":
        return "slow on purpose, but not truncated for SLOW_CHUNKS"
    expected = song["delay_from_chunk"] + SLOW_CHUNKS_MAX
    return (None if done == expected < total else
            f"{done} of {total} chunks were done, not {expected}")


def row(song: Record, record: Record, result: Record) -> str:
    summary = result["summary"]
    how = record["state"]
    if record.get("truncated"):
        how += f", truncated: {record['reason']}: {record['message']}"
    return ROW.format(
        os.path.basename(song["file"]),
        f"{len(result['chunks'])} of {result['chunks_total']}",
        f"{summary['seconds']:.2f} s", f"{summary['rms']:.3f}",
        f"{summary['peak']:.3f}", f"{summary['frequency_hz']:.0f}", how)


def check_batch(songs: list[Record], records: list[Record]) -> list[str]:
    """Prints a row for each song; returns what is wrong."""
    if [json.loads(record["item"]) for record in records] != songs:
        return ["the results are not those of the songs, in their order"]
    wrong = []
    for song, record in zip(songs, records):
        name = os.path.basename(song["file"])
        if record["state"] != "SUCCEEDED" or record.get("degraded"):
            wrong.append(f"{name}: {record['state']} {record['reason']}: "
                         f"{record['message']}")
            continue
        result = json.loads(record["result"])
        print(row(song, record, result))
        what = difference(song, record, result, analyse_directly(song))
        if what:
            wrong.append(f"{name}: {what}")
    return wrong


def main() -> int:
    paths = sys.argv[1:]
    if not paths or len(paths) % 2:
        print("usage: check_songs.py (INPUTS RESULTS)...", file=sys.stderr)
        return 64
    wrong = []
    for number, (songs, records) in enumerate(zip(paths[::2], paths[1::2]), 1):
        print(ROW.format(f"BATCH {number}", "CHUNKS", "LENGTH", "RMS", "PEAK",
                         "HERTZ", "STATE"))
        wrong += check_batch(read(songs), read(records))
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Makes twelve songs for analyse_audio.py, in two batches of six.

Usage: make_songs.py DIR [--seconds=10] [--chunk_seconds=1]
Tones by sox, speech by espeak-ng where that is installed, and sounds that are
installed below /usr/share/sounds: as many tones as it takes to be twelve.
Writes into DIR the songs, and batch1.jsonl and batch2.jsonl, an input of the
task on each line. One song is slow on purpose: from its third chunk on, the
task waits before each for longer than a chunk is expected to take.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import subprocess
import sys

SONGS = 12
BATCHES = 2
SPEECHES_MAX = 2
INSTALLED_MAX = 2
INSTALLED_BYTES_MAX = 1 << 20  # Music of many minutes is no quick example.
SOUNDS = pathlib.Path("/usr/share/sounds")
ENDINGS = (".wav", ".ogg", ".oga", ".flac")

# The slow one: which of its batch, 0 being the first, from which chunk on, and
# for how long before each. The catalog expects a chunk to take 2 s.
SLOW_SONG = 2
SLOW_FROM_CHUNK = 2
SLOW_SECONDS = 2.5

# Rate, name's ending and what sox synthesises.
TONES = (
    (16000, "wav", "sine 440"),
    (16000, "flac", "sine 220-880"),
    (22050, "wav", "square 110"),
    (16000, "ogg", "sine 330"),
    (44100, "wav", "sine 1000"),
    (16000, "wav", "triangle 262"),
    (8000, "wav", "sawtooth 196"),
    (16000, "flac", "sine 262 sine mix 330 sine mix 392"),
    (16000, "wav", "sine 523"),
    (22050, "flac", "triangle 80-160"),
    (16000, "ogg", "square 660"),
    (8000, "wav", "sine 147"),
)

SPEECHES = ("Vigil runs work that can hang. It streams what a program writes.",
            "It always ends a job with a result, or with a typed reason.")


def make_tone(directory: pathlib.Path, number: int, seconds: float) -> str:
    rate, ending, effect = TONES[number]
    path = f"{directory}/tone{number + 1:02}.{ending}"
    words = effect.split()
    subprocess.run(["sox", "-D", "-n", "-r", f"{rate}", "-c", "1", path,
                    "synth", f"{seconds}", *words, "gain", "-6"], check=True)
    return path


def make_speeches(directory: pathlib.Path) -> list[str]:
    if shutil.which("espeak-ng") is None:
        return []
    paths = []
    for number, text in enumerate(SPEECHES[:SPEECHES_MAX], 1):
        paths.append(f"{directory}/speech{number}.wav")
        subprocess.run(["espeak-ng", "-w", paths[-1], text], check=True)
    return paths


def find_installed() -> list[str]:
    """The first sounds of the system that sox can read."""
    found = []
    for path in sorted(SOUNDS.rglob("*")) if SOUNDS.is_dir() else ():
        if (path.suffix in ENDINGS and path.is_file() and
                path.stat().st_size <= INSTALLED_BYTES_MAX and
                subprocess.run(["sox", "--info", path], capture_output=True,
                               check=False).returncode == 0):
            found.append(f"{path}")
        if len(found) == INSTALLED_MAX:
            break
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=10,
                        help="length of a tone")
    parser.add_argument("--chunk_seconds", type=float, default=1)
    options = parser.parse_args()
    others = [*make_speeches(options.directory), *find_installed()]
    songs = [make_tone(options.directory, number, options.seconds)
             for number in range(SONGS - len(others))] + others
    for batch in range(BATCHES):
        inputs = [{"file": song, "chunk_seconds": options.chunk_seconds}
                  for song in songs[batch::BATCHES]]
        if batch == 0:
            inputs[SLOW_SONG].update(delay_seconds=SLOW_SECONDS,
                                     delay_from_chunk=SLOW_FROM_CHUNK)
        path = options.directory / f"batch{batch + 1}.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in inputs),
                        encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

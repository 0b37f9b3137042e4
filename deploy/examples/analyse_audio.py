#!/usr/bin/python3
"""A warm task that analyses a sound file chunk by chunk, as sox decodes it.

The input is JSON:
  {"file": "/path/of/song.wav", "chunk_seconds": 1}
The result has, for each chunk and for all of them together, the root mean
square and the peak (1 is full scale), how often the wave crosses zero, and the
frequency of a pure tone that crosses it as often:
  {"file": ..., "chunks_total": 10, "chunks": [{"start": 0, "seconds": 1,
   "samples": 48000, "rms": 0.5, "peak": 0.7, "zero_crossings": 880,
   "frequency_hz": 440.0}, ...], "summary": {...}}

Each chunk is progress and a checkpoint; a job that is asked to stop, since its
chunks are too slow, say, hands in those it has, and a later attempt goes on
from its checkpoint. One sox at a time: a task's one helper process is enough.

`"delay_seconds": S, "delay_from_chunk": N` make chunk N (0, 1, 2...) and each
later one wait for so long before it is analysed. They stand for a slow disk or
a hard song, where such slowness is to be seen on purpose.

Without Vigil, here and in your own copy, beside which vigil_task.py lies:
  python3 analyse_audio.py --try '{"file": "song.wav", "chunk_seconds": 1}'
"""

from __future__ import annotations

import array
import itertools
import json
import math
import operator
import subprocess
import sys
import time
from typing import Any, NamedTuple

import vigil_task

CHUNK_SECONDS_MIN = 0.05  # One start of sox takes about as long.
CHUNK_SECONDS_MAX = 60.0  # 48 kHz for a minute are 6 MB of samples.
CHUNKS_MAX = 5000  # A chunk is under 200 bytes; a checkpoint has 1 MiB.
DELAY_SECONDS_MAX = 60.0
DIGITS = 6  # More would say nothing of samples of 16 bits.
MESSAGE_CHARACTERS_MAX = 300  # Of what sox has to say against a file.

FULL_SCALE = 1 << 15

Figures = dict[str, Any]


class Request(NamedTuple):
    file: str
    chunk_seconds: float
    delay_seconds: float = 0.0
    delay_from_chunk: int = 0


class Sound(NamedTuple):
    """A sound file as it will be decoded: one channel, its own rate."""
    file: str
    rate: int  # Samples a second.
    samples: int


def parse(value: Any) -> Request:
    """Reads a job's input; raises InvalidInput if it is malformed."""
    try:
        request = Request(**value)
        for name, number, least, most in (
                ("chunk_seconds", request.chunk_seconds, CHUNK_SECONDS_MIN,
                 CHUNK_SECONDS_MAX),
                ("delay_seconds", request.delay_seconds, 0, DELAY_SECONDS_MAX),
                ("delay_from_chunk", request.delay_from_chunk, 0, CHUNKS_MAX)):
            if not least <= number <= most:
                raise ValueError(f"{name}: from {least} to {most}")
        if not request.file or not isinstance(request.file, str):
            raise ValueError("file: a path")
    except (TypeError, ValueError) as error:
        raise vigil_task.InvalidInput(f"malformed input: {error}") from None
    return request


def sox(*arguments: str) -> bytes:
    """Runs sox and returns what it wrote; InvalidInput if it refuses."""
    done = subprocess.run(["sox", *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode < 0:  # Somebody killed it: no fault of the file.
        raise vigil_task.TaskError(f"sox: signal {-done.returncode}: {said}",
                                   retryable=True)
    raise vigil_task.InvalidInput(said[:MESSAGE_CHARACTERS_MAX])


def open_sound(file: str) -> Sound:
    """Looks at the header of a file; raises InvalidInput if it has no sound."""
    sound = Sound(file, rate=int(sox("--info", "-r", file)),
                  samples=int(sox("--info", "-s", file)))
    if sound.samples <= 0:
        raise vigil_task.InvalidInput(f"{file}: its length is not known")
    return sound


def decode(sound: Sound, start: int, count: int) -> array.array[int]:
    """Decodes `count` samples from sample `start` on, mixed to one channel."""
    samples = array.array("h")
    # -D: no dither, whose noise would be another each time.
    samples.frombytes(sox(
        "-V1", "-D", sound.file, "-t", "raw", "-e", "signed-integer", "-b",
        "16", "-c", "1", "-L", "-", "trim", f"{start}s", f"{count}s"))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def measure(samples: array.array[int], rate: int) -> Figures:
    """The figures of a chunk; what crosses zero between two is in neither."""
    count = len(samples)
    if count == 0:
        return {"seconds": 0.0, "samples": 0, "rms": 0.0, "peak": 0.0,
                "zero_crossings": 0, "frequency_hz": 0.0}
    squares = sum(map(operator.mul, samples, samples))
    positive = [sample >= 0 for sample in samples]
    return figures(count, rate, math.sqrt(squares / count) / FULL_SCALE,
                   max(map(abs, samples)) / FULL_SCALE,
                   sum(map(operator.ne, positive,
                           itertools.islice(positive, 1, None))))


def figures(count: int, rate: int, rms: float, peak: float,
            crossings: int) -> Figures:
    seconds = count / rate
    return {"seconds": round(seconds, DIGITS), "samples": count,
            "rms": round(rms, DIGITS), "peak": round(peak, DIGITS),
            "zero_crossings": crossings,
            "frequency_hz": round(crossings / 2 / seconds, 1)}


def summarise(chunks: list[Figures], rate: int) -> Figures:
    """The same figures for all chunks together; empty for none."""
    count = sum(chunk["samples"] for chunk in chunks)
    if count == 0:
        return {}
    squares = sum(chunk["rms"]**2 * chunk["samples"] for chunk in chunks)
    return figures(count, rate, math.sqrt(squares / count),
                   max(chunk["peak"] for chunk in chunks),
                   sum(chunk["zero_crossings"] for chunk in chunks))


def analyse(job: vigil_task.Job) -> Figures:
    """Does one job."""
    request = parse(job.json())
    sound = open_sound(request.file)
    size = max(1, round(request.chunk_seconds * sound.rate))
    total = math.ceil(sound.samples / size)
    if total > CHUNKS_MAX:
        raise vigil_task.InvalidInput(
            f"{total} chunks; at most {CHUNKS_MAX}: take longer ones")
    chunks: list[Figures] = json.loads(job.resume_from or "[]")
    job.progress(len(chunks), total)  # What an earlier attempt did.
    try:
        for number in range(len(chunks), total):
            if number >= request.delay_from_chunk:
                time.sleep(request.delay_seconds)
            start = number * size
            samples = decode(sound, start, size)
            chunks.append({"start": round(start / sound.rate, DIGITS),
                           **measure(samples, sound.rate)})
            job.checkpoint(json.dumps(chunks))
            job.progress(len(chunks), total)
    except vigil_task.Cancelled:
        pass  # What is done is the result, or where a retry goes on.
    return {"file": request.file, "chunks_total": total, "chunks": chunks,
            "summary": summarise(chunks, sound.rate)}


if __name__ == "__main__":
    vigil_task.serve(analyse)

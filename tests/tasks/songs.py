"""Calibrates songs, each with a pool of its own: parallel work within a task.

Usage: songs.py POOL SONG... | songs.py --plain SONG...
A song is a number. Its calibration takes some 20 ms of CPU in CHUNKS chunks,
by a ProcessPoolExecutor(POOL) or, with --plain, without one; prints a line
`song NUMBER RESULT`, the same in either way. A song that hangs
is ended by SIGALRM after a minute.
"""
import signal
import sys
from concurrent.futures import ProcessPoolExecutor

CHUNKS = 4
STEPS = 45_000  # Of a chunk: some 5 ms.
MODULUS = 2**31 - 1
SECONDS_MAX = 60  # Of a song.


def calibrate_chunk(song: int, chunk: int) -> int:
    """Advances a generator of Lehmer's, which no shortcut would guess."""
    state = (song * 7919 + chunk * 104729) % (MODULUS - 1) + 1
    for _ in range(STEPS):
        state = state * 48271 % MODULUS
    return state


def calibrate(song: int, pool: int | None) -> int:
    signal.alarm(SECONDS_MAX)
    songs, chunks = [song] * CHUNKS, range(CHUNKS)
    if pool is None:
        return sum(map(calibrate_chunk, songs, chunks))
    # Workers do not inherit the alarm.
    with ProcessPoolExecutor(pool, initializer=signal.alarm,
                             initargs=(SECONDS_MAX,)) as executor:
        return sum(executor.map(calibrate_chunk, songs, chunks))


def main() -> None:
    pool = None if sys.argv[1] == "--plain" else int(sys.argv[1])
    for song in map(int, sys.argv[2:]):
        print(f"song {song} {calibrate(song, pool)}", flush=True)


if __name__ == "__main__":
    main()

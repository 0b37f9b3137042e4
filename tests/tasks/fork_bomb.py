"""Forks, and lets its children fork: at most 2 ** DEPTH processes, 256 at most.

Usage: fork_bomb.py DEPTH
Every process prints its pid and sleeps for half a minute. One that is refused
a fork says so and sleeps as well.
"""
import os
import sys
import time

DEPTH_MAX = 8


def say(text: str) -> None:
    os.write(1, f"{os.getpid()} {text}\n".encode())  # Whole lines.


def main() -> None:
    for _ in range(min(int(sys.argv[1]), DEPTH_MAX)):
        try:
            os.fork()
        except OSError as error:
            say(f"cannot fork: {error.strerror}")
            break
    say("sleeps")
    time.sleep(30)


main()

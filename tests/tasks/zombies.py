"""Has N children, one after another, and never waits for any.

Usage: zombies.py N
Each, of at most 1000, has ended before the next one begins: one helper at a
time, and N zombies. Then it prints a line and is silent for half a minute.
"""
import os
import sys
import time

ZOMBIES_MAX = 1000


def main() -> None:
    count = min(int(sys.argv[1]), ZOMBIES_MAX)
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        # WNOWAIT: it has ended, and stays a zombie.
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print(f"{count} zombies", flush=True)
    time.sleep(30)


main()

"""Takes more and more memory, and says how much it has.

Usage: memory_hog.py MB_PER_STEP STEPS DELAY [child]
Touches every page of MB_PER_STEP MiB, prints `N MiB`, and waits DELAY seconds,
STEPS times, for at most a minute and 4096 MiB; `child` makes a child do it.
"""
import os
import sys
import time

MEMORY_MAX_MIB = 4096
SECONDS_MAX = 60
PAGE = 4096


def take(step_mib: int, steps: int, delay: float) -> None:
    kept = []
    end = time.monotonic() + SECONDS_MAX
    for i in range(1, steps + 1):
        if i * step_mib > MEMORY_MAX_MIB or time.monotonic() > end:
            break
        block = bytearray(step_mib << 20)
        for offset in range(0, len(block), PAGE):
            block[offset] = 1
        kept.append(block)
        print(f"{i * step_mib} MiB", flush=True)
        time.sleep(delay)


def main() -> None:
    if sys.argv[4:] == ["child"]:
        pid = os.fork()
        if pid:
            _, status = os.waitpid(pid, 0)
            print(f"child ended with {os.waitstatus_to_exitcode(status)}")
            return
    take(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))


main()

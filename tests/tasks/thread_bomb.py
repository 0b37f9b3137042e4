"""Starts N threads that wait, at most 10,000, and says how many there were.

Usage: thread_bomb.py N
Where the system refuses one, prints what it said and ends with 1 by that
uncaught RuntimeError. The threads wait for the end of the attempt to start
them, at most a minute.
"""
import sys
import threading

THREADS_MAX = 10_000


def main() -> None:
    end = threading.Event()
    # Small stacks: it is the number that shall be refused, not the memory.
    threading.stack_size(64 << 10)
    started = 0
    try:
        for _ in range(min(int(sys.argv[1]), THREADS_MAX)):
            threading.Thread(target=end.wait, args=(60,), daemon=True).start()
            started += 1
    except RuntimeError as error:
        print(f"started {started} threads: {error}", flush=True)
        raise
    finally:
        end.set()
    print(f"started {started} threads")


main()

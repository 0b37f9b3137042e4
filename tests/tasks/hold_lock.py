"""Holds a lock for life: two attempts at once would meet here.

Usage: hold_lock.py LOCK_FILE JOURNAL SECONDS
Appends "start FENCE" and "end FENCE" to the journal; exits with 99 when
somebody else holds the lock.
"""
import fcntl
import os
import sys
import time


def note(journal: str, word: str) -> None:
    fd = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, f"{word} {os.environ['VIGIL_FENCE']}\n".encode())
    os.close(fd)


def main() -> None:
    lock_file, journal, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    lock = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note(journal, "twice")
        sys.exit(99)
    note(journal, "start")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        print("holding")
        time.sleep(0.1)
    note(journal, "end")


main()

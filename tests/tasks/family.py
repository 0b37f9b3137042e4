"""Starts a family of processes that do not want to die.

Usage: family.py PID_FILE [exit]
A child, a grandchild in a session of its own whose parent has ended, and this
program itself ignore SIGTERM, write their pids to the file and stay; with
`exit` this program ends with 0 and leaves the others behind.
"""
import os
import signal
import sys
import time


def note(path: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, f"{os.getpid()}\n".encode())
    os.close(fd)


def stay(path: str) -> None:
    note(path)
    while True:
        time.sleep(60)


def main() -> None:
    path = sys.argv[1]
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        stay(path)
    middle = os.fork()
    if middle == 0:
        os.setsid()
        if os.fork() == 0:
            stay(path)
        os._exit(0)
    os.waitpid(middle, 0)
    note(path)
    while True:
        with open(path, encoding="ascii") as pids:
            if len(pids.read().splitlines()) == 3:
                break
        time.sleep(0.01)
    print("settled")
    if "exit" in sys.argv:
        sys.exit(0)
    time.sleep(600)


main()

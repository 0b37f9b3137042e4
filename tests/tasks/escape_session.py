"""Has a child that tries to get away, and goes on talking itself.

Usage: escape_session.py PID_FILE
The child has a session of its own, ignores SIGTERM and SIGHUP, writes its pid
to the file and stays for a minute; this program writes a line every 0.1 s for
half a minute.
"""
import os
import signal
import sys
import time


def escape(path: str) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    os.rename(path + ".new", path)
    time.sleep(60)
    os._exit(0)


def main() -> None:
    if os.fork() == 0:
        escape(sys.argv[1])
    for i in range(300):
        print(f"line {i}", flush=True)
        time.sleep(0.1)


main()

"""Leaves a daemon behind, as old services do, and exits with 0.

Usage: daemonize.py PID_FILE
The daemon (forked twice, in a session of its own, with its output closed)
writes its pid to the file and stays for a minute.
"""
import os
import sys
import time


def main() -> None:
    path = os.path.abspath(sys.argv[1])
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        print("daemon started")
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    os.rename(path + ".new", path)  # Nobody sees half a pid.
    time.sleep(60)
    os._exit(0)


main()

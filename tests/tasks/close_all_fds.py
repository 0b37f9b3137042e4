"""Closes every descriptor that it was not told of, and forks two children.

Usage: close_all_fds.py
What holds a filter or a channel open must not be a descriptor of the task.
Prints of each fork whether it went well; the children live for two seconds.
"""
import os
import time


def main() -> None:
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    children = []
    for i in range(2):
        try:
            pid = os.fork()
        except OSError as error:
            print(f"fork {i}: {error.strerror}", flush=True)
            continue
        if pid == 0:
            time.sleep(2)
            os._exit(0)
        children.append(pid)
        print(f"fork {i}: done", flush=True)
    for pid in children:
        os.waitpid(pid, 0)
    print("end")


main()

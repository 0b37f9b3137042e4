"""Prints a line and hangs in a function with a telling name.

Usage: dump_me.py
A dump of its stacks shows stuck_here in the main thread and waits_too in
another one. Ends by itself after half a minute.
"""
import threading
import time

SECONDS = 30


def waits_too(end: threading.Event) -> None:
    end.wait(SECONDS)


def stuck_here() -> None:
    time.sleep(SECONDS)


def main() -> None:
    end = threading.Event()
    threading.Thread(target=waits_too, args=(end,), daemon=True).start()
    print("about to hang", flush=True)
    stuck_here()
    end.set()


main()

"""Fills the cache of a warm-up in two steps, so that a half one would show.

Usage: warm_up.py JOURNAL MODE
Appends "fill" to the journal and writes the first of two files; then by MODE:
`fill` writes the second one; `wait` does when JOURNAL.go exists; `talk` writes
a line every 0.3 s ten times first; `fail` exits with 3 unless JOURNAL.go
exists; `hang` writes no more and stays.
"""
import os
import sys
import time


def write(name: str, text: str) -> None:
    path = os.path.join(os.environ["VIGIL_CACHE_DIR"], name)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def main() -> None:
    journal, mode = sys.argv[1], sys.argv[2]
    write("first", "1")
    fd = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, b"fill\n")
    os.close(fd)
    print("half of the vocabulary")
    if mode == "talk":
        for _ in range(10):
            time.sleep(0.3)
            print("still at it", file=sys.stderr)
    while mode in ("wait", "hang"):
        if mode == "wait" and os.path.exists(journal + ".go"):
            break
        time.sleep(0.02)
    if mode == "fail" and not os.path.exists(journal + ".go"):
        print("no vocabulary on this machine", file=sys.stderr)
        sys.exit(3)
    write("second", "2")


main()

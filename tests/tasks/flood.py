"""Writes BYTES bytes to stdout as fast as they are taken.

Usage: flood.py BYTES
At most 1 GiB, and for at most a minute.
Lines of 63 letters and a newline; the last one may be cut.
"""
import os
import signal
import sys

BYTES_MAX = 1 << 30
LINES = (b"x" * 63 + b"\n") * 1024


def main() -> None:
    signal.alarm(60)  # In case nobody takes them.
    left = min(int(sys.argv[1]), BYTES_MAX)
    sent = 0
    while left:
        # From where the last write stopped in its line.
        begin = sent % 64
        count = os.write(1, LINES[begin:begin + min(left, len(LINES) - 64)])
        left -= count
        sent += count


main()

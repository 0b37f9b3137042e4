"""Writes BYTES bytes to stdout as fast as they are taken, at most 1 GiB.

Usage: flood.py BYTES
Lines of 63 letters and a newline; the last one may be cut.
"""
import os
import sys

BYTES_MAX = 1 << 30
LINES = (b"x" * 63 + b"\n") * 1024


def main() -> None:
    left = min(int(sys.argv[1]), BYTES_MAX)
    sent = 0
    while left:
        # From where the last write stopped in its line.
        begin = sent % 64
        count = os.write(1, LINES[begin:begin + min(left, len(LINES) - 64)])
        left -= count
        sent += count


main()

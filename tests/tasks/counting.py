"""Writes numbered lines to stdout, so that a lost or doubled byte shows.

Usage: counting.py LINES PAUSE [FILLER_BYTES]
Each line is its number and FILLER_BYTES dots; PAUSE seconds before each.
"""
import os
import sys
import time


def main() -> None:
    lines, pause = int(sys.argv[1]), float(sys.argv[2])
    filler = "." * int(sys.argv[3]) if len(sys.argv) > 3 else ""
    for i in range(lines):
        if pause:
            time.sleep(pause)
        line = f"{i} {filler}\n".encode()
        while line:
            line = line[os.write(1, line):]


main()

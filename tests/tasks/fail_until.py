"""Fails until its Nth start, as counted by lines in a journal.

Usage: fail_until.py JOURNAL STARTS STATUS [MESSAGE]
Appends a line "FENCE TIME" to the journal at each start; before start number
STARTS it writes MESSAGE to stderr and exits with STATUS.
"""
import os
import sys
import time


def main() -> None:
    journal, starts, status = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with open(journal, "a+", encoding="utf-8") as file:
        file.write(f"{os.environ['VIGIL_FENCE']} {time.time():.6f}\n")
        file.flush()
        file.seek(0)
        count = len(file.readlines())
    if count < starts:
        sys.stderr.write("".join(sys.argv[4:5]))
        sys.exit(status)
    print("done")


main()

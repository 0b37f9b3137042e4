"""Closes stdout and stderr and sleeps: an end of output that is no end.

Usage: close_stdout.py [SECONDS]
Prints a line first; sleeps for half a minute unless told otherwise.
"""
import os
import sys
import time

print("closing", flush=True)
os.close(1)
os.close(2)
time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 30)
os._exit(0)  # Nothing is left to flush, and nowhere to complain of it.

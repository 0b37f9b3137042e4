"""Prints a script of lines and pauses.

Usage: talker.py STEP...
A STEP is a number of seconds to sleep, `out:TEXT`, `err:TEXT`, `exit:STATUS`,
`ignore:TERM`, `stamp` (the time, in seconds), or `N*S`: N lines on stdout with
S seconds before each.
"""
import signal
import sys
import time


def main() -> None:
    for step in sys.argv[1:]:
        if step.startswith("out:"):
            print(step[4:])
        elif step.startswith("err:"):
            print(step[4:], file=sys.stderr)
        elif step.startswith("exit:"):
            sys.exit(int(step[5:]))
        elif step == "ignore:TERM":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        elif step == "stamp":
            print(f"{time.time():.6f}")
        elif "*" in step:
            count, pause = step.split("*")
            for i in range(int(count)):
                time.sleep(float(pause))
                print(f"token {i}")
        else:
            time.sleep(float(step))


main()

"""Has other programs work for it, and prints what they said and how they ended.

Usage: shellout.py KIND
KIND is os-system, popen, posix-spawn or subprocess-run, with one helper, or
pipeline: a shell that has three at once. Prints `said: TEXT` and `ended:
STATUS`, or `refused: ERROR`; what os-system runs prints by itself.
"""
import os
import subprocess
import sys

WORDS = ["/bin/echo", "from a helper"]


def spawn() -> tuple[str, int]:
    reader, writer = os.pipe()
    pid = os.posix_spawn(WORDS[0], WORDS, os.environ, file_actions=[
        (os.POSIX_SPAWN_DUP2, writer, 1)])
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    return text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def popen() -> tuple[str, int]:
    with os.popen(f"{WORDS[0]} '{WORDS[1]}'") as file:
        text = file.read()
        return text, file.close() or 0


def run(command: list[str]) -> tuple[str, int]:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          check=False)
    return done.stdout, done.returncode


KINDS = {
    # Its status as it is: what os.system makes of a refusal is known by that.
    "os-system": lambda: ("", os.system(f"{WORDS[0]} '{WORDS[1]}'")),
    "popen": popen,
    "posix-spawn": spawn,
    "subprocess-run": lambda: run(WORDS),
    "pipeline": lambda: run(["/bin/sh", "-c", "seq 1000 | sort | tail -1"]),
}


def main() -> None:
    try:
        text, status = KINDS[sys.argv[1]]()
    except OSError as error:
        print(f"refused: {error}")
        return
    print(f"said: {text.strip()}\nended: {status}")


main()

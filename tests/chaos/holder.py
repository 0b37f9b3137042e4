"""A task that holds its job's lock for life, as does all that it starts.

Usage: holder.py JOURNAL LOCKS JOB SECONDS [family]
       holder.py JOURNAL LOCKS, with VIGIL_FD: a warm task, of which each input
       is JSON {"job": JOB, "seconds": SECONDS}
Appends "JOB start FENCE" and "JOB end FENCE" to the journal, or "JOB twice
FENCE" when somebody else holds the lock. With `family` it starts a child, and a
grandchild with a child of its own in a session that has no parent left; all
of them ignore SIGTERM, keep the lock, and stay when it ends. What an attempt
writes says whose it is: lines "JOB FENCE 0" to "JOB FENCE N" and the last one
"JOB FENCE end N"; the result of a warm one is "JOB FENCE".
"""
import fcntl
import itertools
import json
import os
import signal
import sys
import time

HELD_BY_ANOTHER = 99  # exit status


def note(journal: str, job: str, word: str, fence: str) -> None:
    fd = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, f"{job} {word} {fence}\n".encode())
    os.close(fd)


def take(locks: str, job: str) -> int:
    """Returns the held lock's descriptor, -1 when another holds it."""
    lock = os.open(f"{locks}/{job}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return -1
    return lock


def stay() -> None:
    while True:
        time.sleep(60)


def start_family() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        stay()
    middle = os.fork()
    if middle == 0:
        os.setsid()
        if os.fork() == 0:
            os.fork()
            stay()
        os._exit(0)
    os.waitpid(middle, 0)


def talk(job: str, fence: str, seconds: float, say) -> None:
    end = time.monotonic() + seconds
    for number in itertools.count():
        say(f"{job} {fence} {number}\n")
        left = end - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(0.2, left))
    say(f"{job} {fence} end {number}\n")


def run_command(journal: str, locks: str, job: str, seconds: str,
                *family: str) -> int:
    fence = os.environ["VIGIL_FENCE"]
    if take(locks, job) < 0:
        note(journal, job, "twice", fence)
        return HELD_BY_ANOTHER
    note(journal, job, "start", fence)
    if family:
        start_family()
    talk(job, fence, float(seconds),
         lambda text: print(text, end="", flush=True))
    note(journal, job, "end", fence)
    return 0


def serve(journal: str, locks: str) -> None:
    import vigil_task

    def run(warm_job):
        settings = warm_job.json()
        # A warm task has no fence of its own: its jobs' attempts grow as well.
        job, fence = settings["job"], str(warm_job.attempt)
        lock = take(locks, job)
        if lock < 0:
            note(journal, job, "twice", fence)
            raise RuntimeError("somebody else holds the lock")
        note(journal, job, "start", fence)
        talk(job, fence, settings["seconds"], warm_job.token)
        note(journal, job, "end", fence)
        os.close(lock)
        return f"{job} {fence}"

    vigil_task.serve(run)


if "VIGIL_FD" in os.environ:
    serve(*sys.argv[1:])
else:
    sys.exit(run_command(*sys.argv[1:]))

"""A warm task written by hand that does what its input says, and nothing else.

Usage: raw_warm_task.py JOURNAL [STEPS]
STEPS, before it says hello, and the input of each job are JSON lists. An object
is a frame to write: with the attempt_id of the job unless it has its own, and
`{"text": {"repeat": N}}` for a text of N bytes. A list is something to do:
["sleep", SECONDS], ["wait", FILE] until it exists, ["stop"] until the worker
says so, ["write", TEXT] on the channel as it is, ["print", TEXT], ["warn",
TEXT], ["exit", STATUS], ["kill", SIGNAL], ["close"] the channel, ["child"] to
leave one behind that ignores SIGTERM, ["grow", BYTES] of memory, ["env", NAME]
and ["start"] as tokens, ["upto", N, STEPS...] in the first N attempts of a job
or, before hello, in the first N processes, ["repeat", N, STEPS...].
What begins is a line in the journal, the pid and what: a process, a job, a
reset (answered when there is no file JOURNAL.hold), an end it was told.
"""
import json
import os
import signal
import socket
import sys
import time

CHANNEL = socket.socket(fileno=int(os.environ["VIGIL_FD"]))
FRAMES = CHANNEL.makefile("r", encoding="utf-8")
JOURNAL = sys.argv[1]
# Frames that came before a stop that was waited for.
AHEAD = []
KEPT = []


def note(word: str) -> None:
    fd = os.open(JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, f"{os.getpid()} {word}\n".encode())
    os.close(fd)


def say(frame: dict) -> None:
    for content in frame.values():
        text = content.get("text") if isinstance(content, dict) else None
        if isinstance(text, dict):
            content["text"] = "x" * text["repeat"]
    CHANNEL.sendall(json.dumps(frame).encode() + b"\n")


def stay_behind() -> None:
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        CHANNEL.close()
        while True:
            time.sleep(60)


class Steps:
    """Does steps for a job, or (with no `frame`) before hello."""

    def __init__(self, number: int, frame: dict) -> None:
        self.number = number
        self.frame = frame
        self.id = {"attempt_id": frame["attempt_id"]} if frame else {}

    def token(self, text: str) -> None:
        say({**self.id, "token": {"text": text}})

    def do(self, steps: list) -> None:
        for step in steps:
            if isinstance(step, dict):
                say({**self.id, **step})
            else:
                self.act(*step)

    def act(self, verb: str, *words) -> None:
        if verb == "upto" and self.number <= words[0]:
            self.do(words[1:])
        elif verb == "repeat":
            for _ in range(words[0]):
                self.do(words[1:])
        elif verb == "sleep":
            time.sleep(words[0])
        elif verb == "wait":
            while not os.path.exists(words[0]):
                time.sleep(0.01)
        elif verb == "stop":
            while "stop" not in (frame := json.loads(next(FRAMES))):
                AHEAD.append(frame)
        elif verb == "write":
            CHANNEL.sendall(words[0].encode())
        elif verb in ("print", "warn"):
            print(words[0], file=sys.stdout if verb == "print" else sys.stderr)
        elif verb == "exit":
            os._exit(words[0])
        elif verb == "kill":
            os.kill(os.getpid(), words[0])
        elif verb == "close":
            CHANNEL.shutdown(socket.SHUT_RDWR)
        elif verb == "child":
            stay_behind()
        elif verb == "grow":
            KEPT.append(os.urandom(1) * words[0])
        elif verb == "env":
            self.token(os.environ.get(words[0], "(none)"))
        elif verb == "start":
            self.token(json.dumps(self.frame["start"]))


def main() -> None:
    note("process")
    with open(JOURNAL, encoding="utf-8") as journal:
        processes = sum(line.endswith("process\n") for line in journal)
    Steps(processes, {}).do(json.loads("".join(sys.argv[2:]) or "[]"))
    while AHEAD or (line := FRAMES.readline()):
        frame = AHEAD.pop(0) if AHEAD else json.loads(line)
        if "hello" in frame:
            say({"hello": {"version": 1}})
        elif "reset" in frame:
            note("reset")
            while os.path.exists(JOURNAL + ".hold"):
                time.sleep(0.01)
            say({"reset_done": {}})
        elif "start" in frame:
            start = frame["start"]
            note(f"job {start['job_id']} {start['attempt']}")
            steps = json.loads(start["input"]["text"])
            Steps(start["attempt"], frame).do(steps)
    note("told to end")


main()

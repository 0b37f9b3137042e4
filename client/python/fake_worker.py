"""Starts a small task and plays the worker at the other end of its channel.

For tests only. Nothing here waits for a time to pass: a task says by a frame
where it is, or the kernel does, before the worker goes on.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import pathlib
import socket
import subprocess
import sys
import termios
import textwrap
import time
import unittest
from typing import Any, Optional

HERE = os.path.dirname(os.path.abspath(__file__))

# Seconds after which a test has failed; nothing here takes one.
PATIENCE = 60


def start_process(script: str, *arguments: str, fd: Optional[int] = None,
                  **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-B", "-c", textwrap.dedent(script), *arguments],
        cwd=HERE, env={"PATH": "/usr/bin:/bin", **environment},
        pass_fds=() if fd is None else (fd,), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class FakeWorker:
    """One task process and the worker's end of its channel."""

    def __init__(self, test: unittest.TestCase, script: str,
                 **environment: str) -> None:
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(PATIENCE)
        self.lines = self.channel.makefile("rb")
        with theirs:
            self.process = start_process(
                script, fd=theirs.fileno(), VIGIL_FD=str(theirs.fileno()),
                **{"VIGIL_FRAMES": "json", **environment})
        test.addCleanup(self._clean_up)
        self.attempts = 0
        self.say(hello={"version": 1, "features": ["later"]})
        test.assertEqual(self.hear(), {"hello": {"version": 1}})

    def _clean_up(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.lines.close()
        self.channel.close()

    def say(self, attempt_id: str = "", **frame: Any) -> None:
        if attempt_id:
            frame["attempt_id"] = attempt_id
        self.channel.sendall(json.dumps(frame).encode() + b"\n")

    def wait_until_read(self) -> None:
        """Returns when the task has taken all bytes that were sent."""
        unread = array.array("i", [1])
        while unread[0]:
            time.sleep(0)
            fcntl.ioctl(self.channel, termios.TIOCOUTQ, unread)

    def wait_until_it_waits(self, earlier: int = 0) -> int:
        """Returns when the task sleeps (in a write, if it has begun one).

        Returns how often it did so far, and waits for more than `earlier`.
        """
        status = pathlib.Path(f"/proc/{self.process.pid}/status")
        while True:
            fields = dict(line.split(":", 1)
                          for line in status.read_text().splitlines())
            sleeps = int(fields["voluntary_ctxt_switches"])
            if "S" in fields["State"].split()[0] and sleeps > earlier:
                return sleeps
            time.sleep(0)

    def hear(self) -> dict[str, Any]:
        return json.loads(self.lines.readline())

    def start(self, text: Optional[str] = None, **start: Any) -> str:
        """Sends a `start` and returns its attempt's id."""
        self.attempts += 1
        attempt_id = f"job-{self.attempts}/1"
        if text is not None:
            start["input"] = {"text": text}
        self.say(attempt_id, start={"job_id": f"job-{self.attempts}",
                                    "attempt": 1, "namespace": "default",
                                    **start})
        return attempt_id

    def stop(self, attempt_id: str, cause: str = "REASON_CANCELLED") -> None:
        self.say(attempt_id, stop={"cause": cause, "grace": "5s"})

    def rest(self, attempt_id: str) -> list[dict[str, Any]]:
        """Returns the frames of an attempt up to its last, ids taken off."""
        frames = []
        while not frames or not {"result", "error"} & frames[-1].keys():
            frames.append(self.hear())
            assert frames[-1].pop("attempt_id") == attempt_id, frames
        return frames

    def run(self, text: Optional[str] = None,
            **start: Any) -> list[dict[str, Any]]:
        """Runs a job; returns what came between `started` and its end, too."""
        started, *frames = self.rest(self.start(text, **start))
        assert started == {"started": {}}, started
        return frames

    def close(self) -> tuple[int, str, str]:
        """Closes the channel; returns status, stdout and stderr."""
        self.lines.close()
        self.channel.close()
        output, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, output, errors

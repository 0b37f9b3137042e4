"""Writes Vigil's warm tasks in Python: one file, to copy beside your script.

    import vigil_task

    model = load()                    # Once; afterwards Vigil sends jobs.

    def run(job):
        for word in model.words(job.text):
            job.token(word)           # Output of the job, and a sign of life.
        return {"words": model.count} # Its result; or raise InvalidInput(...).

    vigil_task.serve(run)

`run` may be an `async def` as well. Its task type has `frames: FRAMES_JSON` in
the catalog; `python3 script.py --try INPUT` runs one job without Vigil. Jobs
come one after the other. A job that must end (cancelled, out of time) sees
`Cancelled` raised where it is, or asyncio.CancelledError in an `async def`; it
may still call checkpoint(), or return what it has, within its grace.

Needs Linux, Python 3.9 and its standard library. While a job runs, SIGIO
belongs to this module; everything here belongs to the main thread, apart from
what a job sends, which any thread may call.
"""

from __future__ import annotations

import binascii
import collections
import fcntl
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from typing import Any, Callable, NoReturn, Optional, Union

# Caps of the protocol, in bytes.
TOKEN_MAX = 256 << 10  # Longer ones are sent in pieces.
CHECKPOINT_MAX = 1 << 20
RESULT_MAX = 3 << 20
MESSAGE_MAX = 4 << 10  # What the worker keeps of an error's message.
PROGRESS_MESSAGE_MAX = 256

# A start frame is a few hundred bytes and its input; larger ones take turns.
_RECEIVE_BYTES = 256 << 10

# Seconds until a job is interrupted again that was about to block.
_REPEAT_INTERVAL = 0.1

# From <fcntl.h>; the module fcntl does not have them.
_F_SETOWN_EX = 15
_F_OWNER_TID = 0

_CO_COROUTINE = 0x80  # As inspect has it.

_RETRY_DELAY_MAX = 24 * 3600.0  # Seconds.
_REASONS = frozenset({"TASK_ERROR", "INVALID_INPUT", "RESOURCE_EXHAUSTED",
                      "OUT_OF_MEMORY", "SERVER_UNAVAILABLE"})

_quote = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"),
                            allow_nan=False).encode

Run = Callable[["Job"], Any]


class TaskError(Exception):
    """The job failed, for the reason given.

    `reason` is TASK_ERROR, RESOURCE_EXHAUSTED, OUT_OF_MEMORY,
    SERVER_UNAVAILABLE or INVALID_INPUT. `retryable`: it may be tried again,
    after `retry_delay` seconds if that is given.
    """

    def __init__(self, message: str, *, reason: str = "TASK_ERROR",
                 retryable: bool = False,
                 retry_delay: Optional[float] = None) -> None:
        super().__init__(message)
        if reason not in _REASONS:
            raise ValueError(f"a task cannot fail for the reason {reason!r}")
        if retry_delay is not None and not 0 <= retry_delay <= _RETRY_DELAY_MAX:
            raise ValueError(f"retry_delay={retry_delay}: not within 24 hours")
        self.reason = reason
        self.retryable = retryable
        self.retry_delay = retry_delay


class InvalidInput(TaskError):
    """The input is malformed: the job fails and is not tried again."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="INVALID_INPUT")


class Cancelled(BaseException):
    """The job must end soon; raised once, wherever its function is.

    No Exception, so that `except Exception` does not swallow it. `cause` is
    CANCELLED, DRAINED or the clock that fired: INACTIVITY_TIMEOUT,
    SLOW_CHUNKS...
    """

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class _ChannelClosed(SystemExit):
    """The worker has closed its end: there is no more to do."""


class Job:
    """One attempt at a job: what it was given, and what it may say.

    Nothing can be said once its function has returned.
    """

    def __init__(self, frame: dict[str, Any],
                 send: Callable[[bytes, Job], None]) -> None:
        start = frame["start"]
        self._start = start
        self._send = send
        self._attempt_id: str = frame["attempt_id"]
        self._prefix = b'{"attempt_id":%b,' % _quote(self._attempt_id).encode()
        self._ended = False
        # The job, and the number of this attempt: a later one has a larger
        # number, and may be given along as a fence with effects outside.
        self.id: str = start.get("job_id", "")
        self.attempt: int = start.get("attempt", 0)
        self.namespace: str = start.get("namespace", "")
        # Why this attempt must end; None as long as it need not.
        self.stopping: Optional[str] = None

    @property
    def input(self) -> bytes:
        """What the client gave; empty if it gave nothing."""
        return _bytes_of(self._start.get("input", {}))

    @property
    def text(self) -> str:
        """The input as text; raises InvalidInput if it is not UTF-8."""
        try:
            return self.input.decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(f"the input is not UTF-8: {error}") from None

    def json(self) -> Any:
        """The input as a JSON value; raises InvalidInput if it is not one."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"the input is not JSON: {error}") from None

    @property
    def resume_from(self) -> Optional[bytes]:
        """The last checkpoint of an earlier attempt; None if there is none."""
        state = self._start.get("checkpoint")
        return None if state is None else _bytes_of(state)

    def token(self, token: Union[str, bytes]) -> None:
        """Sends a piece of output. Waits while its reader is behind."""
        if len(token) * 4 > TOKEN_MAX:  # A character has up to 4 bytes.
            data = token.encode() if isinstance(token, str) else bytes(token)
            for start in range(0, len(data), TOKEN_MAX):
                self._say("token", _payload(data[start:start + TOKEN_MAX]))
        elif token:
            self._say("token", _payload(token))

    def progress(self, done: int, total: int = 0, message: str = "") -> None:
        """Says how far it is; total 0: not known. `done` that grows counts.

        Under a chunk policy it ends that many chunks.
        """
        if done < 0 or total < 0:
            raise ValueError(f"progress({done}, {total}): negative")
        message = message[:PROGRESS_MESSAGE_MAX]
        self._say("progress", _quote(
            {"done": int(done), "total": int(total),
             "message": message}).encode(errors="replace"))

    def heartbeat(self) -> None:
        """Says that it works, when there is nothing else to say."""
        self._say("heartbeat", b"{}")

    def checkpoint(self, state: Union[str, bytes]) -> None:
        """Hands in a state, at most 1 MiB, from which a retry may go on."""
        self._say("checkpoint", _payload(state, CHECKPOINT_MAX))

    def _say(self, kind: str, body: bytes) -> None:
        self._send(self._frame(kind, body), self)

    def _frame(self, kind: str, body: bytes) -> bytes:
        return b'%b"%b":%b}\n' % (self._prefix, kind.encode(), body)

    def _returned(self, value: Any) -> bytes:
        """Returns the last frame of a function that returned `value`."""
        if value is None:
            return (self._raised(Cancelled(self.stopping)) if self.stopping else
                    self._frame("result", b"{}"))
        try:
            if not isinstance(value, (str, bytes, bytearray, memoryview)):
                value = _to_json(value)
            return self._frame("result", _payload(value, RESULT_MAX))
        except Exception as error:  # pylint: disable=broad-except
            return self._raised(error)

    def _raised(self, error: BaseException) -> bytes:
        """Returns the last frame of a function that raised `error`."""
        fields: dict[str, Any] = {}
        if isinstance(error, TaskError):
            message = str(error)
            fields["reason"] = "REASON_" + error.reason
            fields["retryable"] = error.retryable
            if error.retry_delay is not None:
                fields["next_retry_delay"] = f"{error.retry_delay:.3f}s"
        elif isinstance(error, Cancelled):
            message = f"stopped: {error.cause}"
        else:
            # Without a reason: the worker may know one by the message.
            import traceback  # pylint: disable=import-outside-toplevel
            traceback.print_exception(type(error), error, error.__traceback__)
            message = f"{type(error).__name__}: {error}"
        fields["message"] = message[:MESSAGE_MAX]
        return self._frame("error", _quote(fields).encode(errors="replace"))


def _bytes_of(payload: dict[str, str]) -> bytes:
    if "data" in payload:
        return binascii.a2b_base64(payload["data"])
    return payload.get("text", "").encode()


def _payload(value: Union[str, bytes], bytes_max: int = TOKEN_MAX) -> bytes:
    data = (value.encode() if isinstance(value, str) else
            bytes(memoryview(value)))
    if len(data) > bytes_max:
        raise ValueError(f"{len(data)} bytes; at most {bytes_max} are allowed")
    if isinstance(value, str):
        text = _quote(value).encode()
        # Text that is mostly escapes could grow beyond what a frame may have.
        if len(text) <= len(data) * 4 // 3 + 64:
            return b'{"text":%b}' % text
    return b'{"data":"%b"}' % binascii.b2a_base64(data, newline=False)


class _Channel:
    """The task's end of its channel: runs the jobs that come through it.

    The main thread reads when it has no job. While a job runs, the kernel sends
    SIGIO for what arrives, and the handler reads it: so a job that waits is
    interrupted, and no thread competes with one that computes. An `async def`
    needs no signal, since its event loop reads.
    """

    def __init__(self, channel: socket.socket, run: Run,
                 reset: Optional[Callable[[], None]]) -> None:
        self._socket = channel
        self._run = run
        self._reset = reset
        self._main_thread = threading.get_ident()
        self._write_lock = threading.Lock()
        self._pieces: list[bytes] = []  # Of a line that has not ended.
        # Both are bounded by the task type's max_in_flight.
        self._queue: collections.deque[Any] = collections.deque()
        self._jobs: dict[str, Job] = {}
        self._running: Optional[Job] = None  # The last one that was begun.
        # There may be something to read.
        self._poked = False
        # A Cancelled may be raised: a job's function runs and had none yet.
        self._interruptible = False
        # Not just now: a frame is half written or half read.
        self._busy = False
        # Set by a job that begins, cleared by the thread that watches.
        self._begun = threading.Event()

    def serve(self) -> NoReturn:
        signal.signal(signal.SIGIO, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGIO])
        # To this thread and no other, which would not be interrupted by it.
        owner = struct.pack("ii", _F_OWNER_TID, threading.get_native_id())
        fcntl.fcntl(self._socket, _F_SETOWN_EX, owner)
        flags = fcntl.fcntl(self._socket, fcntl.F_GETFL)
        fcntl.fcntl(self._socket, fcntl.F_SETFL, flags | os.O_ASYNC)
        threading.Thread(target=self._watch, daemon=True).start()
        try:
            while True:
                while not self._queue:
                    self._receive()
                job = self._next()
                if job is not None:
                    self._end(job, self._last_frame(job))
        finally:
            # Python would restore the default as it exits, which is to die.
            signal.signal(signal.SIGIO, signal.SIG_IGN)

    async def serve_async(self) -> None:
        import asyncio  # pylint: disable=import-outside-toplevel
        loop = asyncio.get_running_loop()
        arrival = asyncio.Event()
        closed = False
        task: Optional[asyncio.Task[bytes]] = None

        def on_readable() -> None:
            nonlocal closed, task
            try:
                self._receive(socket.MSG_DONTWAIT)
            except _ChannelClosed:
                loop.remove_reader(self._socket)
                closed = True
            if task is not None and (closed or self._running.stopping):
                task.cancel()
                task = None  # At most once.
            arrival.set()

        async def last_frame(job: Job) -> bytes:
            nonlocal closed, task
            try:
                if job.stopping:
                    raise asyncio.CancelledError
                # Not sooner: a task that has not begun would not see it.
                task = asyncio.current_task()
                return job._returned(await self._run(job))
            except _ChannelClosed:
                closed = True
            except asyncio.CancelledError as error:
                if job.stopping:
                    return job._raised(Cancelled(job.stopping))
                if not closed:  # It has cancelled itself.
                    return job._raised(error)
            except (Exception, SystemExit) as error:
                return job._raised(error)
            return b""

        loop.add_reader(self._socket, on_readable)
        while not closed:
            if not self._queue:
                arrival.clear()
                await arrival.wait()
                continue
            job = self._next()
            if job is not None:
                frame = await loop.create_task(last_frame(job))
                task = None
                self._end(job, frame)

    def _next(self) -> Optional[Job]:
        """Begins the job that is next; None if it was another frame."""
        frame = self._queue.popleft()
        if isinstance(frame, Job):
            self._running = frame
            self._write(frame._frame("started", b"{}"))
            return frame
        if "hello" in frame:
            self._write(b'{"hello":{"version":1}}\n')
        elif "reset" in frame:
            if self._reset is not None:
                self._reset()
            self._write(b'{"reset_done":{}}\n')
        elif not frame.get("optional"):
            sys.exit(f"vigil_task: unknown frame: {sorted(frame)}")
        return None

    def _end(self, job: Job, frame: bytes) -> None:
        with self._write_lock:
            job._ended = True
        del self._jobs[job._attempt_id]
        self._write(frame)

    def _last_frame(self, job: Job) -> bytes:
        """Runs the job and returns its result or error."""
        try:
            try:
                if job.stopping:
                    raise Cancelled(job.stopping)
                self._busy = True
                self._interruptible = True
                if not self._begun.is_set():
                    self._begun.set()
                self._busy = False
                self._look()
                value = self._run(job)
                self._interruptible = False
                return job._returned(value)
            except _ChannelClosed:
                raise
            except (Exception, SystemExit) as error:
                return job._raised(error)
            finally:
                self._interruptible = False
        except Cancelled as error:  # Anywhere above, the handlers included.
            return job._raised(error)

    def _write(self, frame: bytes, job: Optional[Job] = None) -> None:
        """Writes a frame as a whole: an interrupt waits until it is out.

        With a job: any thread may ask, while the job's function runs.
        """
        main = threading.get_ident() == self._main_thread
        if main:
            self._busy = True
        try:
            with self._write_lock:
                if job is not None and job._ended:
                    raise RuntimeError("the job's function has returned")
                self._socket.sendall(frame)
        except (BrokenPipeError, ConnectionResetError):
            raise _ChannelClosed from None
        finally:
            if main:
                self._busy = False
        if main:
            self._look()

    def _on_signal(self, *_: Any) -> None:
        self._poked = True
        if not self._busy:
            self._look()

    def _watch(self) -> None:
        """Sends the signal again while a job leaves unread what has come.

        Python acts on a signal between two bytecodes. One that comes when a
        blocking call has begun interrupts it, but one that comes just before
        would wait until the call returns. Sleeps when no job runs, and costs
        short jobs nothing.
        """
        unread = select.poll()
        unread.register(self._socket, select.POLLIN)
        while True:
            self._begun.wait()
            time.sleep(_REPEAT_INTERVAL)
            self._begun.clear()
            if self._interruptible:
                self._begun.set()
                if unread.poll(0):
                    signal.pthread_kill(self._main_thread, signal.SIGIO)

    def _look(self) -> None:
        """While a job runs: reads what there is, and ends the job if it must.

        Signals come at any point of this, and call it again; each step leaves
        things so that the inner call may do the work of the outer one.
        """
        while self._poked and self._interruptible:
            self._busy = True
            try:
                self._receive(socket.MSG_DONTWAIT)
                stopping = self._running.stopping
            finally:
                self._busy = False
            if stopping and self._interruptible:
                self._interruptible = False
                raise Cancelled(stopping)

    def _receive(self, flags: int = 0) -> None:
        """Reads once, and takes the frames that are complete."""
        self._poked = False  # Before reading: what comes now is not missed.
        try:
            chunk = self._socket.recv(_RECEIVE_BYTES, flags)
        except BlockingIOError:
            return
        except ConnectionResetError:
            raise _ChannelClosed from None
        if not chunk:
            raise _ChannelClosed
        self._poked = True  # There may be more.
        head, newline, rest = chunk.rpartition(b"\n")
        if not newline:
            self._pieces.append(chunk)
            return
        lines = b"".join([*self._pieces, head]).split(b"\n")
        self._pieces = [rest]
        for line in lines:
            self._take(json.loads(line))

    def _take(self, frame: dict[str, Any]) -> None:
        attempt_id = frame.get("attempt_id", "")
        if "start" in frame:
            self._jobs[attempt_id] = Job(frame, self._write)
            self._queue.append(self._jobs[attempt_id])
        elif "stop" in frame:
            # It may have crossed the attempt's last frame.
            if attempt_id in self._jobs:
                cause = str(frame["stop"].get("cause", "UNSPECIFIED"))
                self._jobs[attempt_id].stopping = cause.removeprefix("REASON_")
        else:
            self._queue.append(frame)


def _try(run: Run, argument: str) -> NoReturn:
    """Runs one job and prints what it says. Exits as a command would."""
    status = 1

    def show(line: bytes, _: Job) -> None:
        nonlocal status
        frame = json.loads(line)
        del frame["attempt_id"]
        output = frame.get("token", frame.get("result"))
        if output is not None:
            sys.stdout.buffer.write(_bytes_of(output))
            sys.stdout.buffer.flush()
        else:
            print("vigil_task:", _quote(frame), file=sys.stderr)
        if "result" in frame:
            status = os.EX_OK
        elif frame.get("error", {}).get("reason") == "REASON_INVALID_INPUT":
            status = os.EX_DATAERR

    data = sys.stdin.buffer.read() if argument == "-" else os.fsencode(argument)
    job = Job({"attempt_id": "", "start": {
        "input": {"data": binascii.b2a_base64(data).decode()}}}, show)
    try:
        value = run(job)
        if hasattr(value, "__await__"):
            import asyncio  # pylint: disable=import-outside-toplevel
            value = asyncio.run(value)
        show(job._returned(value), job)
    except (Exception, SystemExit) as error:  # pylint: disable=broad-except
        show(job._raised(error), job)
    sys.exit(status)


def _refuse(message: str) -> NoReturn:
    print(f"vigil_task: {message}", file=sys.stderr)
    sys.exit(os.EX_USAGE)


def _is_async(run: Run) -> bool:
    if hasattr(run, "__code__"):  # inspect alone takes as long as all the rest.
        return bool(run.__code__.co_flags & _CO_COROUTINE)
    import inspect  # pylint: disable=import-outside-toplevel
    return inspect.iscoroutinefunction(run)


def serve(run: Run, *,
          warm_up: Optional[Callable[[str], None]] = None,
          reset: Optional[Callable[[], None]] = None) -> NoReturn:
    """Takes one job after another and calls `run`, until there are no more.

    Call it last, in the main thread, when all is loaded: the worker is told
    that jobs may come. What `run` returns is the job's result: text or bytes as
    they are, None for no result, anything else as JSON. What it raises fails
    the job; the process stays.

    `warm_up` is called with a cache directory to fill, and nothing else, in a
    process that the worker starts once before the first job (`warm_up {}` in
    the task type). Jobs find the directory in the environment as
    VIGIL_CACHE_DIR. `reset` is called between jobs (`reset: true`).
    """
    if os.environ.get("VIGIL_WARM_UP") == "1":
        if warm_up is None or "VIGIL_CACHE_DIR" not in os.environ:
            _refuse("VIGIL_WARM_UP=1 needs serve(run, warm_up=...) in the "
                    "program, and VIGIL_CACHE_DIR")
        warm_up(os.environ["VIGIL_CACHE_DIR"])
        sys.exit()
    if "VIGIL_FD" not in os.environ:
        if len(sys.argv) == 3 and sys.argv[1] == "--try":
            _try(run, sys.argv[2])
        _refuse(f"{sys.argv[0]} is a task for Vigil to start: a task type with "
                "frames: FRAMES_JSON.\nTo run one job without Vigil: "
                f"python3 {sys.argv[0]} --try INPUT (-: what is on stdin)")
    if os.environ.get("VIGIL_FRAMES") != "json":
        _refuse("its task type must have frames: FRAMES_JSON")
    # Not for the programs that this one starts.
    channel_fd = int(os.environ.pop("VIGIL_FD"))
    os.set_inheritable(channel_fd, False)
    channel = socket.socket(fileno=channel_fd)
    channel.setblocking(True)
    os.register_at_fork(after_in_child=channel.close)
    # What is loaded stays: no collection during a job need look at it.
    gc.collect()
    gc.freeze()
    if _is_async(run):
        import asyncio  # pylint: disable=import-outside-toplevel
        asyncio.run(_Channel(channel, run, reset).serve_async())
        sys.exit()
    _Channel(channel, run, reset).serve()

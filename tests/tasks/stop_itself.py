"""Prints a line and stops itself by SIGSTOP: alive, and silent.

Usage: stop_itself.py
A timer kills it after a minute: SIGKILL alone ends a stopped process, and
Python's own timers send SIGALRM.
"""
import ctypes
import os
import signal

CLOCK_MONOTONIC = 1
SECONDS = 60


class SigEvent(ctypes.Structure):
    """struct sigevent."""
    _fields_ = [("value", ctypes.c_void_p), ("signo", ctypes.c_int),
                ("notify", ctypes.c_int), ("padding", ctypes.c_char * 48)]


class TimerSpec(ctypes.Structure):
    """struct itimerspec."""
    _fields_ = [("interval", ctypes.c_long * 2), ("value", ctypes.c_long * 2)]


def kill_later() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    timer = ctypes.c_void_p()
    event = SigEvent(signo=signal.SIGKILL)
    spec = TimerSpec(value=(SECONDS, 0))
    if (libc.timer_create(CLOCK_MONOTONIC, ctypes.byref(event),
                          ctypes.byref(timer)) or
            libc.timer_settime(timer, 0, ctypes.byref(spec), None)):
        raise OSError(ctypes.get_errno(), "no timer")


def main() -> None:
    kill_later()
    print("about to stop", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    print("continued")


main()

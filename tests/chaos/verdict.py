"""Holds what the client was promised against the store and the tasks' notes.

Pure: no process, no call, no file. Each fault is a kind and a text; kinds are
lost, told (a final state that is not so any more), twice, phantom (an outcome
that no attempt has brought about) and refused (an answer that must not be).
"""
import collections
from typing import NamedTuple

from cluster import FINAL, Reason, State
from load import LOST_MAX, twice_of

PHANTOM, LOST, TOLD, TWICE, REFUSED = (
    "phantom", "lost", "told", "twice", "refused")


class Stored(NamedTuple):
    """A job as the store has it, and what its last attempt wrote."""

    job: object
    stdout: bytes


def state_name(state):
    """A state in words."""
    return State.State.Name(state).removeprefix("STATE_")


def reason_name(failure):
    """A reason in words."""
    return Reason.Reason.Name(failure.reason).removeprefix("REASON_")


def is_written(text, name, fence, whole):
    """Whether holder.py, as this attempt of this job, wrote this text: all of
    it, or the beginning."""
    lines = text.decode(errors="replace").split("\n")
    rest = lines.pop()
    numbers = [f"{name} {fence} {number}" for number in range(len(lines) + 1)]
    if lines and lines[-1] == f"{name} {fence} end {len(lines) - 2}":
        return not rest and lines[:-1] == numbers[:-2]
    last = f"{name} {fence} end {len(lines) - 1}"
    return (not whole and lines == numbers[:-1]
            and (numbers[-1].startswith(rest) or last.startswith(rest)))


def judge(journal, notes, stored):
    """All faults. `notes` by name, `stored` by id."""
    yield from ((REFUSED, text) for text in journal.refusals)
    for job_id, name in journal.acknowledged.items():
        if job_id not in stored:
            yield LOST, f"{name} ({job_id}) was acknowledged and is not there"
    for job_id, state, call in journal.told:
        if job_id in stored and stored[job_id].job.state != state:
            yield TOLD, (
                f"{job_id} was told {state_name(state)} by {call}, and is "
                f"{state_name(stored[job_id].job.state)}")
    names = collections.Counter(
        entry.job.request_id for entry in stored.values())
    for name, count in names.items():
        if count > 1:
            yield TWICE, f"{name} is {count} jobs"
    for name in notes.keys() - names.keys():
        yield PHANTOM, f"{name} ran, and is no job"
    for job_id, entry in stored.items():
        name = entry.job.request_id
        if job_id not in journal.acknowledged:
            yield PHANTOM, f"{name} ({job_id}) was never acknowledged"
        for kind, text in faults_of(entry, notes.get(name, []), journal):
            yield kind, f"{name} ({job_id}) {text}"


def faults_of(entry, notes, journal):
    """Of one job."""
    job = entry.job
    yield from twice_of(job, notes)
    if job.state not in FINAL:
        yield LOST, f"has not ended: {state_name(job.state)}"
        return
    for (job_id, attempt), text in journal.outputs.items():
        if job_id == job.job_id and not is_written(
                bytes(text), job.request_id, attempt, False):
            yield PHANTOM, (f"attempt {attempt} did not write what was read: "
                            f"{bytes(text)!r}")
    if job.state == State.STATE_SUCCEEDED:
        yield from faults_of_success(entry, notes, journal)
    elif job.HasField("result"):
        yield PHANTOM, f"has a result and is {state_name(job.state)}"
    elif job.state == State.STATE_CANCELLED:
        if job.job_id not in journal.cancelled:
            yield PHANTOM, "was cancelled by nobody"
    else:
        lost = sum(attempt.failure.reason == Reason.REASON_WORKER_LOST
                   for attempt in job.attempts)
        if (job.failure.reason != Reason.REASON_WORKER_LOST
                or lost <= LOST_MAX):
            yield PHANTOM, (f"failed without cause, {lost} attempts were "
                            f"lost: {reason_name(job.failure)}: "
                            f"{job.failure.message}")


def faults_of_success(entry, notes, journal):
    """Of a job that is said to have succeeded."""
    job = entry.job
    name = job.request_id
    fence = job.attempts[-1].number if job.attempts else 0
    if ("start", fence) not in notes or ("end", fence) not in notes:
        yield PHANTOM, f"succeeded by attempt {fence}, which noted {notes}"
    if not is_written(entry.stdout, name, fence, True):
        yield PHANTOM, (f"succeeded, and its output is not that of attempt "
                        f"{fence}: {entry.stdout!r}")
    if job.spec.task_type and job.result != f"{name} {fence}".encode():
        yield PHANTOM, f"succeeded with the result {job.result!r}"
    if job.job_id in journal.watched:
        text = bytes(journal.outputs.get((job.job_id, fence), b""))
        if not is_written(text, name, fence, True):
            yield PHANTOM, (f"succeeded, and the output of attempt {fence} "
                            f"was streamed as {text!r}")

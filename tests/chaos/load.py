"""A constant load of jobs, and what must be true of them in the end."""
import collections
import json
import os
import pathlib

from cluster import FINAL, PYTHON, Cluster, Reason, State
from google.protobuf import text_format
from vigil.v1 import catalog_pb2, job_service_pb2

HOLDER = os.path.abspath("tests/chaos/holder.py")
BATCH = 12  # jobs of one SubmitJobs
LOST_MAX = 10  # attempts that a job may lose with its workers, and not end

# What jobs there are: out of ten, and the range of seconds that one holds its
# lock. They are short beside the time between two kills of a slot, so that most
# end, and long enough that most kills meet one.
KINDS = {
    "short": (4, 0.01, 0.1),
    "holder": (2, 0.3, 1.5),
    "family": (3, 0.5, 2.0),
    "warm": (1, 0.1, 1.0),
}

# Of the kinds that are warm task types: how many jobs a process is handed
# ahead.
WARM = {"warm": 1, "swift": 16}


class Load:
    """Jobs of one cluster. Submits, and judges them when all have ended."""

    def __init__(self, directory, draw, kinds=None):
        self.kinds = kinds or KINDS
        self.directory = pathlib.Path(directory)
        self.journal = self.directory / "journal"
        self.locks = self.directory / "locks"
        self.locks.mkdir()
        self.draw = draw
        self.numbers = 0
        # Job names by the ids that were acknowledged.
        self.names = {}

    def catalog(self):
        """The text of the catalog with the warm task types."""
        types = [
            catalog_pb2.TaskType(
                name=name, frames=catalog_pb2.TaskType.FRAMES_JSON,
                argv=[PYTHON, HOLDER, str(self.journal), str(self.locks)],
                env={"PYTHONPATH": os.path.abspath("client/python")},
                max_in_flight=max_in_flight)
            for name, max_in_flight in WARM.items() if name in self.kinds]
        return text_format.MessageToString(
            catalog_pb2.Catalog(task_types=types))

    def request(self, cluster, kind=None):
        """One more job, of a random kind if none is given."""
        kind = kind or self.draw.choices(
            list(self.kinds),
            [weight for weight, _, _ in self.kinds.values()])[0]
        seconds = round(self.draw.uniform(*self.kinds[kind][1:]), 2)
        self.numbers += 1
        name = f"{kind}{self.numbers}"
        # Killed by its task's death again and again, it is tried again.
        options = {"maximum_attempts": 100, "initial_interval": 0.1,
                   "maximum_interval": 1, "request_id": name,
                   "retry_on": [Reason.REASON_SIGNALLED]}
        if kind in WARM:
            request = job_service_pb2.SubmitJobRequest()
            request.spec.task_type = kind
            request.spec.input = json.dumps(
                {"job": name, "seconds": seconds}).encode()
            return Cluster.apply(request, **options)
        # -I and -S: Python starts in half the time.
        return cluster.command(
            PYTHON, "-IS", HOLDER, self.journal, self.locks, name, seconds,
            *(["family"] if kind == "family" else []),
            max_processes=100, **options)

    def keep_up(self, cluster, live_min):
        """Submits as many that live_min have not ended; returns how many."""
        if live_jobs(cluster) >= live_min:
            return
        requests = [self.request(cluster) for _ in range(BATCH)]
        answer = cluster.jobs.SubmitJobs(
            job_service_pb2.SubmitJobsRequest(jobs=requests))
        for request, result in zip(requests, answer.results):
            if not result.job_id or result.existed:
                raise AssertionError(f"not accepted: {request}: {result}")
            self.names[result.job_id] = request.request_id

    # --- in the end
    def read_journal(self):
        """The notes of each job: (word, fence)."""
        notes = collections.defaultdict(list)
        if self.journal.exists():
            for line in self.journal.read_text().splitlines():
                name, word, fence = line.split()
                notes[name].append((word, int(fence)))
        return notes

    def judge(self, cluster):
        """Once all have ended. Returns counts by outcome, and faults: each
        a kind and a text."""
        outcomes, faults, notes = (
            collections.Counter(), [], self.read_journal())
        listed = cluster.list_jobs()
        seen = collections.Counter(job.job_id for job in listed)
        for job_id, name in self.names.items():
            if seen[job_id] != 1:
                faults.append(("lost", f"{name} ({job_id}) is listed "
                               f"{seen[job_id]} times"))
        for job_id in seen.keys() - self.names.keys():
            faults.append(("lost", f"{job_id} was never acknowledged"))
        for job in listed:
            name = self.names.get(job.job_id, "?")
            outcome = State.State.Name(job.state).removeprefix("STATE_")
            if job.HasField("failure"):
                outcome += " " + Reason.Reason.Name(
                    job.failure.reason).removeprefix("REASON_")
            outcomes[outcome] += 1
            faults += [(kind, f"{name} ({job.job_id}) {text}")
                       for kind, text in faults_of(job, notes[name])]
        return outcomes, faults


def live_jobs(cluster):
    """Jobs that have not ended."""
    return sum(count.jobs for count in cluster.get_status().states
               if count.state not in FINAL)


def twice_of(job, notes):
    """Whether a job ran beside itself, by its record and its notes."""
    starts = [fence for word, fence in notes if word == "start"]
    if any(word == "twice" for word, _ in notes):
        yield "twice", f"met itself: {notes}"
    # Notes of an older attempt after a start of a later one are the same.
    fences = [fence for _, fence in notes]
    if fences != sorted(fences) or len(starts) != len(set(starts)):
        yield "twice", f"ran beside itself: {notes}"
    if len(starts) > len(job.attempts):
        yield "twice", f"was started more often than is on record: {notes}"


def faults_of(job, notes):
    """What must not be true of an ended job, by its record and its notes."""
    yield from twice_of(job, notes)
    starts = [fence for word, fence in notes if word == "start"]
    if job.state not in FINAL:
        yield "lost", f"has not ended: {State.State.Name(job.state)}"
    elif job.state == State.STATE_SUCCEEDED:
        if not starts or notes[-1][0] != "end":
            yield "lost", f"succeeded and did not run to its end: {notes}"
    else:
        lost = sum(attempt.failure.reason == Reason.REASON_WORKER_LOST
                   for attempt in job.attempts)
        if (job.failure.reason != Reason.REASON_WORKER_LOST
                or lost <= LOST_MAX):
            failure = text_format.MessageToString(
                job.failure, as_one_line=True)
            yield "lost", (f"ended without cause, {lost} attempts were lost: "
                           f"{failure}")

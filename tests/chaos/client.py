"""A client that notes what it was promised, whatever happens meanwhile.

Threads of its own submit, run, watch, ask and cancel over one channel. Every
call has a deadline and is made again, with the same request_id, until it is
answered. What was acknowledged, and each final state that was told, is kept.
"""
import collections
import random
import threading

import grpc
from cluster import FINAL, STDOUT
from vigil.v1 import job_service_pb2

CALL_MAX = 3.0  # seconds; a stopped coordinator answers after that or never
STREAM_MAX = 8.0  # seconds, then WatchJob goes on from the last cursor
PAUSE = 0.05  # seconds between two calls of a thread
BATCH_MAX = 8  # jobs of one SubmitJobs
# One SubmitJobs of four is so many jobs of a kind that is handed ahead.
BURST, BURST_PART = 32, 0.25
CANCELLED_PART = 0.04  # of the jobs are cancelled
RUNNERS, FOLLOWERS = 3, 3  # threads

# Nobody's fault while a coordinator dies or stands still.
TRANSIENT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
             grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED)
# The same as numbers.
TRANSIENT_CODES = {code.value[0] for code in TRANSIENT}


class Journal:
    """What the client was told. Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        # Job names by acknowledged id.
        self.acknowledged = {}
        # Of each final state that was told: id, state, by which call.
        self.told = []
        self.ended = set()
        # Ids of jobs whose cancellation was asked for.
        self.cancelled = set()
        # Stdout by id and attempt, of the jobs that were run or watched.
        self.outputs = {}
        # Those of which a stream came to its end.
        self.watched = set()
        # What was answered and should not have been: texts.
        self.refusals = []
        self.counts = collections.Counter()

    def acknowledge(self, job_id, name):
        """A submission was answered."""
        with self.lock:
            known = self.acknowledged.setdefault(job_id, name)
            if known != name:
                self.refusals.append(
                    f"{name} was given {job_id}, which is {known}'s")

    def tell(self, job, source):
        """A state was told; notes final ones."""
        if job.state in FINAL:
            with self.lock:
                self.told.append((job.job_id, job.state, source))
                self.ended.add(job.job_id)

    def refuse(self, call, error):
        """A call failed. What is not transient must not be."""
        with self.lock:
            self.counts["calls that failed"] += 1
            if error.code() not in TRANSIENT:
                self.refusals.append(
                    f"{call}: {error.code().name}: {error.details()}")

    def open_jobs(self):
        """Ids that were acknowledged and are not known to have ended."""
        with self.lock:
            return [job_id for job_id in self.acknowledged
                    if job_id not in self.ended]


class Client:
    """The threads. Start them with `with`; they are joined at the end."""

    def __init__(self, cluster, load, journal, seed, open_max):
        """`open_max`: while so many jobs are not known to have ended there
        come no more."""
        self.cluster = cluster
        self.load = load
        self.load_lock = threading.Lock()
        self.journal = journal
        self.open_max = open_max
        self.seed = seed
        # No more jobs; no more of anything.
        self.closing = threading.Event()
        self.leaving = threading.Event()
        roles = ([self.submit] + [self.run] * RUNNERS
                 + [self.follow] * FOLLOWERS)
        self.threads = [
            threading.Thread(target=self.live, args=(role, number))
            for number, role in enumerate(roles)]
        self.claimed = set()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.leaving.set()
        for thread in self.threads:
            thread.join()

    def live(self, role, number):
        """A thread: one role, again and again."""
        draw = random.Random(f"{self.seed}/{number}")
        try:
            while not self.leaving.is_set():
                role(draw)
                self.leaving.wait(PAUSE)
        except Exception as error:  # A thread that is gone proves nothing.
            with self.journal.lock:
                self.journal.refusals.append(f"{role.__name__}: {error!r}")
            raise

    def call(self, name, request, timeout=CALL_MAX):
        """One answer, or None when there was none."""
        try:
            return getattr(self.cluster.jobs, name)(request, timeout=timeout)
        except grpc.RpcError as error:
            self.journal.refuse(name, error)
            return None

    def insist(self, name, request):
        """Calls until there is an answer; None when it is time to leave."""
        while not self.leaving.is_set():
            answer = self.call(name, request)
            if answer is not None:
                return answer
            self.leaving.wait(PAUSE)
        return None

    def new_requests(self, count, kind=None):
        """Requests for more jobs; none when there are enough."""
        if self.closing.is_set():
            return []
        if len(self.journal.open_jobs()) >= self.open_max:
            return []
        with self.load_lock:
            return [self.load.request(self.cluster, kind)
                    for _ in range(count)]

    # --- roles
    def submit(self, draw):
        """One SubmitJobs, or SubmitJob, until it is acknowledged."""
        if draw.random() < BURST_PART:
            requests = self.new_requests(BURST, "swift")
        else:
            requests = self.new_requests(draw.randint(1, BATCH_MAX))
        if len(requests) == 1:
            answer = self.insist("SubmitJob", requests[0])
            if answer is not None:
                self.journal.acknowledge(answer.job.job_id,
                                         requests[0].request_id)
            return
        while requests:
            answer = self.insist(
                "SubmitJobs",
                job_service_pb2.SubmitJobsRequest(jobs=requests))
            if answer is None:
                return
            requests = self.refused(requests, answer.results)
            self.leaving.wait(PAUSE)

    def refused(self, requests, results):
        """Notes what became of each item; returns those to submit again."""
        again = []
        for request, result in zip(requests, results):
            if result.job_id:
                self.journal.acknowledge(result.job_id, request.request_id)
            elif result.refusal.code in TRANSIENT_CODES:
                again.append(request)
            else:
                with self.journal.lock:
                    self.journal.refusals.append(
                        f"{request.request_id}: {result.refusal}")
        return again

    def run(self, _):
        """One RunJob, taken up by WatchJob until the job has ended."""
        requests = self.new_requests(1)
        if not requests:
            return
        stream = job_service_pb2.RunJobRequest(
            job=requests[0],
            on_disconnect=job_service_pb2.RunJobRequest.ON_DISCONNECT_CONTINUE)
        job_id = None
        while job_id is None and not self.leaving.is_set():
            job_id, cursor, ended = self.read("RunJob", stream,
                                              requests[0].request_id)
            self.leaving.wait(PAUSE)
        if job_id is not None and not ended:
            self.watch(job_id, cursor)

    def follow(self, draw):
        """Takes a job that nobody follows; watches, polls or cancels it."""
        with self.journal.lock:
            free = [job_id for job_id in self.journal.acknowledged
                    if job_id not in self.journal.ended
                    and job_id not in self.claimed]
            if not free:
                return
            job_id = draw.choice(free)
            self.claimed.add(job_id)
        if draw.random() < CANCELLED_PART:
            with self.journal.lock:
                self.journal.cancelled.add(job_id)
            self.insist("CancelJob",
                        job_service_pb2.CancelJobRequest(job_id=job_id))
        if draw.random() < 0.3:
            self.watch(job_id, b"")
        else:
            answer = self.insist("GetJob",
                                 job_service_pb2.GetJobRequest(job_id=job_id))
            if answer is not None:
                self.journal.tell(answer.job, "GetJob")
        with self.journal.lock:
            self.claimed.discard(job_id)

    # --- streams
    def watch(self, job_id, cursor):
        """WatchJob from a cursor until the job has ended."""
        ended = False
        with self.journal.lock:
            self.claimed.add(job_id)
        while not ended and not self.leaving.is_set():
            _, cursor, ended = self.read(
                "WatchJob", job_service_pb2.WatchJobRequest(
                    job_id=job_id, cursor=cursor), None, cursor)
            self.leaving.wait(PAUSE)

    def read(self, name, request, request_id, cursor=b""):
        """Reads a stream until it breaks or ends: the job's id if it was
        told, the last cursor, and whether the job has ended."""
        job_id = getattr(request, "job_id", None)
        early, ended = [], False
        try:
            for answer in getattr(self.cluster.jobs, name)(
                    request, timeout=STREAM_MAX):
                event = answer.event
                cursor = event.cursor or cursor
                if event.HasField("job"):
                    if job_id is None:
                        self.journal.acknowledge(event.job.job_id, request_id)
                    job_id = event.job.job_id
                    self.journal.tell(event.job, name)
                    ended = event.job.state in FINAL
                    if ended:
                        self.journal.watched.add(job_id)
                elif event.HasField("output"):
                    early.append(event.output)
                elif event.HasField("gap"):
                    with self.journal.lock:
                        self.journal.refusals.append(
                            f"{job_id}: a gap: {event.gap}")
                if job_id is not None:
                    for output in early:
                        self.note_output(job_id, output)
                    early.clear()
        except grpc.RpcError as error:
            self.journal.refuse(name, error)
        return job_id, cursor, ended

    def note_output(self, job_id, output):
        """Puts a piece where it belongs; a piece read again may be repeated,
        and must be the same."""
        if output.stream != STDOUT:
            return
        with self.journal.lock:
            text = self.journal.outputs.setdefault(
                (job_id, output.attempt), bytearray())
            end = output.offset + len(output.data)
            if (output.offset > len(text)
                    or (text[output.offset:end]
                        and not output.data.startswith(
                            bytes(text[output.offset:end])))):
                self.journal.refusals.append(
                    f"{job_id}: attempt {output.attempt}: at {output.offset} "
                    f"comes {bytes(output.data)!r} after {bytes(text)!r}")
                return
            text[output.offset:end] = output.data

"""Cluster: a real coordinator, its workers and a client, for one test.

Everything lives in a directory of its own below TEST_TMPDIR, listens on a unix
socket there, and is gone when the test ends, whatever happened; stop() fails
the test when a process is left over.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

import grpc
from vigil.v1 import (
    failure_pb2,
    job_pb2,
    job_service_pb2,
    job_service_pb2_grpc,
    output_pb2,
    status_service_pb2,
    status_service_pb2_grpc,
    worker_service_pb2,
    worker_service_pb2_grpc,
)

# Long enough for any machine; a condition that does not come by then is a bug.
PATIENCE = 60.0

COORDINATOR = os.path.abspath("coordinator/coordinator")
WORKER = os.path.abspath("worker/worker")
VIGIL = os.path.abspath("client/cli/vigil")
TASKS = os.path.abspath("tests/tasks")
PYTHON = "/usr/bin/python3"

State = job_pb2.Job
Phase = job_pb2.Attempt
Reason = failure_pb2.Failure
STDOUT = output_pb2.Output.STREAM_STDOUT
STDERR = output_pb2.Output.STREAM_STDERR
# As grpc.health.v1 encodes HealthCheckResponse{status: ...}.
SERVING = b"\x08\x01"
NOT_SERVING = b"\x08\x02"
FINAL = (State.STATE_SUCCEEDED, State.STATE_FAILED, State.STATE_CANCELLED)


def wait_until(condition, what, patience=PATIENCE):
    """Polls until condition() is true, and returns what it returned."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.02)


def alive(pid):
    """Whether a process runs (a zombie does not)."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def processes_with(marker):
    """The pids of live processes whose command line or environment has it."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "cmdline").read_bytes() + (
                entry / "environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if marker.encode() in text and alive(int(entry.name)):
            found.append(int(entry.name))
    return found


def refused(call, request):
    """Calls and returns the error: its code() and details()."""
    try:
        answer = call(request)
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"not refused, but answered: {answer}")


class Cluster:
    """A coordinator in a directory of its own. Use it with `with`."""

    def __init__(self, local_slots=2, flags=(), catalog=None, prefix=()):
        """`prefix` is a program, with arguments, that runs the coordinator."""
        self.prefix = list(map(str, prefix))
        self.tmp = tempfile.TemporaryDirectory(
            prefix="c", dir=os.environ.get("E2E_TMP", "/tmp"))
        self.dir = pathlib.Path(self.tmp.name)
        self.address = f"unix:{self.dir}/s"
        self.data_dir = self.dir / "data"
        # Tests that end do not wait for what they left running.
        self.flags = [f"--local_slots={local_slots}", "--allow_commands=true",
                      "--drain_grace=0", *flags]
        if catalog is not None:
            (self.dir / "catalog.textproto").write_text(catalog)
            self.flags.append(f"--catalog={self.dir}/catalog.textproto")
        self.coordinator = None
        self.workers = []
        self.channel = None
        self.slots = local_slots

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    # --- processes
    def start(self):
        """Starts the coordinator and waits until it serves."""
        ready, ready_write = os.pipe()
        with open(self.dir / "log", "ab") as log:
            self.coordinator = subprocess.Popen(
                [*self.prefix, COORDINATOR, f"--listen={self.address}",
                 f"--data_dir={self.data_dir}", f"--ready_fd={ready_write}",
                 *self.flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[ready_write], start_new_session=True)
        os.close(ready_write)
        with os.fdopen(ready) as pipe:
            if pipe.read() != "READY\n":
                raise AssertionError("not ready:\n" + self.log())
        if self.channel is not None:
            self.channel.close()
        self.channel = grpc.insecure_channel(self.address)
        self.jobs = job_service_pb2_grpc.JobServiceStub(self.channel)
        self.status = status_service_pb2_grpc.StatusServiceStub(self.channel)
        self.worker_service = worker_service_pb2_grpc.WorkerServiceStub(
            self.channel)
        if self.slots:
            wait_until(lambda: self.get_status().slots_total >= self.slots,
                       "the local worker attaches")

    def start_worker(self, name, slots=1, flags=()):
        """Starts a worker of its own; it survives the coordinator."""
        with open(self.dir / f"log.{name}", "ab") as log:
            worker = subprocess.Popen(
                [WORKER, f"--coordinator={self.address}",
                 f"--data_dir={self.dir}/{name}", f"--slots={slots}",
                 "--allow_commands=true", "--drain_grace=0", *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        self.workers.append(worker)
        return worker

    def local_worker_pid(self):
        """The pid of the coordinator's own worker."""
        for worker in self.get_status().workers:
            if worker.local:
                return worker.pid
        raise AssertionError("no local worker")

    def kill(self):
        """kill -9 of the coordinator."""
        self.coordinator.kill()
        self.coordinator.wait()

    def terminate(self):
        """An orderly stop of the coordinator; returns its exit status."""
        self.coordinator.send_signal(signal.SIGTERM)
        return self.coordinator.wait(timeout=PATIENCE)

    def stop(self):
        """Ends everything, and sees that nothing is left."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
        for process in [*self.workers, self.coordinator]:
            if process is None or process.poll() is not None:
                continue
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError("did not stop:\n" + self.log()) from None
        try:
            wait_until(lambda: not processes_with(str(self.dir)),
                       "every process of the test is gone", 20)
        finally:
            for pid in processes_with(str(self.dir)):
                os.kill(pid, signal.SIGKILL)
            self.tmp.cleanup()

    def log(self):
        """What the programs logged."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')}"
            for path in sorted(self.dir.glob("log*")))

    def http_port(self):
        """The port that --http_listen=127.0.0.1:0 was given."""
        # The log is appended to: the last is this process's.
        return int(re.findall(r"http://127\.0\.0\.1:(\d+)", self.log())[-1])

    # --- jobs
    def command(self, *argv, **options):
        """A SubmitJobRequest for a command; options as in apply()."""
        request = job_service_pb2.SubmitJobRequest()
        request.spec.command.argv.extend(str(arg) for arg in argv)
        # Marks the task, so that stop() finds what is left of it.
        request.spec.command.env["CLUSTER"] = str(self.dir)
        return self.apply(request, **options)

    def talker(self, *steps, **options):
        """A command that runs tests/tasks/talker.py."""
        return self.command(PYTHON, f"{TASKS}/talker.py", *steps, **options)

    @staticmethod
    def apply(request, **options):
        """Sets options: clocks in seconds, retry fields, spec fields."""
        spec = request.spec
        for name, value in options.items():
            if hasattr(spec.timeouts, f"{name}_timeout"):
                field = getattr(spec.timeouts, f"{name}_timeout")
                field.FromNanoseconds(round(value * 1e9))
            elif name == "shutdown_grace":
                spec.timeouts.shutdown_grace.FromNanoseconds(
                    round(value * 1e9))
            elif name in ("initial_interval", "maximum_interval"):
                getattr(spec.retry, name).FromNanoseconds(round(value * 1e9))
            elif name == "retry_on":
                spec.retry.retry_on.extend(value)
            elif hasattr(spec.retry, name):
                setattr(spec.retry, name, value)
            elif hasattr(spec.activity, name):
                setattr(spec.activity, name, value)
            elif name == "labels":
                spec.labels.update(value)
            elif name == "env":
                spec.command.env.update(value)
            elif name in ("namespace", "request_id"):
                setattr(request, name, value)
            else:
                setattr(spec, name, value)
        return request

    def submit(self, request):
        """Submits and returns the id."""
        return self.jobs.SubmitJob(request).job.job_id

    def get(self, job_id):
        """The job now."""
        return self.jobs.GetJob(
            job_service_pb2.GetJobRequest(job_id=job_id)).job

    def run(self, request):
        """RunJob to the end; returns the job and its stdout and stderr."""
        output = {STDOUT: bytearray(), STDERR: bytearray()}
        job = None
        for response in self.jobs.RunJob(
                job_service_pb2.RunJobRequest(job=request),
                timeout=2 * PATIENCE):
            event = response.event
            if event.HasField("output"):
                output[event.output.stream] += event.output.data
            elif event.HasField("job"):
                job = event.job
        return job, bytes(output[STDOUT]), bytes(output[STDERR])

    def finish(self, job_id):
        """Waits for a job's end and returns it."""
        def ended():
            job = self.get(job_id)
            return job if job.state in FINAL else None
        return wait_until(ended, f"{job_id} ends")

    def wait_phase(self, job_id, phase):
        """Waits until a job's attempt is in a phase; returns the job."""
        def there():
            job = self.get(job_id)
            good = job.attempts and job.attempts[-1].phase == phase
            return job if good else None
        return wait_until(there, f"{job_id} reaches phase {phase}")

    def cancel(self, job_id):
        """CancelJob."""
        return self.jobs.CancelJob(
            job_service_pb2.CancelJobRequest(job_id=job_id)).job

    def list_jobs(self, page_size=1000, **options):
        """All jobs, over every page."""
        jobs, token = [], ""
        while True:
            answer = self.jobs.ListJobs(job_service_pb2.ListJobsRequest(
                page_size=page_size, page_token=token, **options))
            jobs.extend(answer.jobs)
            token = answer.next_page_token
            if not token:
                return jobs

    def get_status(self):
        """GetStatus."""
        return self.status.GetStatus(status_service_pb2.GetStatusRequest())

    def health(self, service="", method="Check"):
        """Asks grpc.health.v1 for the status of a service, as its wire bytes."""
        make = (self.channel.unary_unary if method == "Check"
                else self.channel.unary_stream)
        return make(f"/grpc.health.v1.Health/{method}")(
            b"\x0a" + bytes([len(service)]) + service.encode())

    def set_slots(self, worker_id, slots):
        """SetWorkerSlots."""
        return self.worker_service.SetWorkerSlots(
            worker_service_pb2.SetWorkerSlotsRequest(
                worker_id=worker_id, slots=slots)).worker

    # --- the command line
    def status_json(self):
        """What `vigil status -o json` shows."""
        return json.loads(self.vigil("status", "-o", "json").stdout)

    def vigil(self, *args, **options):
        """Runs the CLI against this coordinator."""
        return subprocess.run(
            [VIGIL, *map(str, args)], capture_output=True, timeout=PATIENCE,
            check=False,
            **{"stdin": subprocess.DEVNULL,
               "env": {**os.environ, "VIGIL_ADDRESS": self.address},
               **options})

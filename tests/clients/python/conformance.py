"""Makes the checks of checks.txt with blocking calls:
conformance.py ADDRESS NAME...
"""
import sys
import time

import grpc
from run_job import run_job
from task import CALLS_MAX, TIMEOUT, expect, say, task
from vigil.v1 import (
    batch_pb2, batch_service_pb2, batch_service_pb2_grpc, failure_pb2, job_pb2,
    job_service_pb2, job_service_pb2_grpc)

Job, Batch, Code = job_pb2.Job, batch_pb2.Batch, grpc.StatusCode


class Checks:
    """Each method whose name is in checks.txt is one check."""

    def __init__(self, channel):
        self.jobs = job_service_pb2_grpc.JobServiceStub(channel)
        self.batches = batch_service_pb2_grpc.BatchServiceStub(channel)

    def submit_job(self, request):
        """The id of a new job."""
        return self.jobs.SubmitJob(request, timeout=TIMEOUT).job.job_id

    def cancel_job(self, job_id):
        """Asks for a job's end."""
        self.jobs.CancelJob(job_service_pb2.CancelJobRequest(job_id=job_id),
                            timeout=TIMEOUT)

    def watch(self, job_id, timeout=TIMEOUT):
        """A job's events."""
        for response in self.jobs.WatchJob(
                job_service_pb2.WatchJobRequest(job_id=job_id),
                timeout=timeout):
            yield response.event

    def refusal(self, code, call, request, **options):
        """The error that a call must end with."""
        try:
            call(request, timeout=TIMEOUT, **options)
        except grpc.RpcError as error:
            expect(error.code(), code)
            return error
        raise AssertionError(f"not refused with {code}")

    def talk(self, gate):
        """Runs `talk` and has the gate opened when the task waits for it."""
        output = bytearray()

        def on_output(data):
            waiting = output.count(b"\n") >= 3
            output.extend(data)
            if not waiting and output.count(b"\n") >= 3:
                say(f"do {gate}")

        job = run_job(self.jobs, job_service_pb2.RunJobRequest(
            job=task("talk", gate)), on_output, TIMEOUT)
        expect(bytes(output), b"1\n2\n3\n4\n5\n6\n")
        expect(job.state, Job.STATE_SUCCEEDED)
        expect(len(job.attempts), 1)

    # --- checks
    def submit(self):
        *_, last = self.watch(self.submit_job(task("exit", "0")))
        expect(last.job.state, Job.STATE_SUCCEEDED)

    def tokens(self):
        self.talk("open")

    def resume_cut(self):
        self.talk("cut")

    def resume_restart(self):
        self.talk("restart")

    def cancel(self):
        job_id = self.submit_job(task("talk", "never"))
        for event in self.watch(job_id):
            if event.HasField("output"):
                self.cancel_job(job_id)
        expect(event.job.state, Job.STATE_CANCELLED)
        expect(event.job.failure.reason, failure_pb2.Failure.REASON_CANCELLED)

    def batch_partial(self):
        spec = batch_pb2.BatchSpec(
            job=job_pb2.JobSpec(task_type="task"),
            mode=batch_pb2.BatchSpec.MODE_SEQUENTIAL,
            stop_rule=batch_pb2.StopRule(failures=1))
        batch = self.batches.CreateBatch(batch_service_pb2.CreateBatchRequest(
            open=batch_service_pb2.OpenBatch(spec=spec)), timeout=TIMEOUT).batch
        self.batches.AddItems(batch_service_pb2.AddItemsRequest(
            batch_id=batch.batch_id, items=[
                batch_pb2.BatchItem(arguments=["exit", status])
                for status in "0030"]), timeout=TIMEOUT)
        states = {}
        for response in self.batches.WatchBatch(
                batch_service_pb2.WatchBatchRequest(batch_id=batch.batch_id),
                timeout=TIMEOUT):
            for result in response.event.results:
                states[result.index] = result.job.state
            if response.event.HasField("batch"):
                batch = response.event.batch
        expect(states, {0: Job.STATE_SUCCEEDED, 1: Job.STATE_SUCCEEDED,
                        2: Job.STATE_FAILED})
        expect(batch.state, Batch.STATE_ENDED)
        expect(batch.partial, True)
        expect(batch.stop_cause, Batch.STOP_CAUSE_STOP_RULE)
        expect((batch.counts.succeeded, batch.counts.failed,
                batch.counts.not_run), (2, 1, 1))

    def batch_stream(self):
        first = batch_service_pb2.RunBatchRequest(
            order=batch_pb2.RESULT_ORDER_BY_INDEX)
        first.open.spec.job.task_type = "task"
        first.items.add(arguments=["exit", "0"])
        second = batch_service_pb2.RunBatchRequest(close=True)
        second.items.add(arguments=["exit", "1"])
        second.items.add(arguments=["exit", "0"])
        results = []
        for response in self.batches.RunBatch(iter([first, second]),
                                              timeout=TIMEOUT):
            results.extend((result.index, result.job.state)
                           for result in response.event.results)
            if response.event.HasField("batch"):
                batch = response.event.batch
        expect(results, [(0, Job.STATE_SUCCEEDED), (1, Job.STATE_FAILED),
                         (2, Job.STATE_SUCCEEDED)])
        expect(batch.state, Batch.STATE_ENDED)
        expect(batch.partial, False)

    def job_deadline(self):
        request = task("talk", "never")
        request.spec.timeouts.inactivity_timeout.FromMilliseconds(300)
        job = run_job(self.jobs, job_service_pb2.RunJobRequest(job=request),
                      lambda data: None, TIMEOUT)
        expect(job.state, Job.STATE_FAILED)
        expect(job.failure.reason,
               failure_pb2.Failure.REASON_INACTIVITY_TIMEOUT)
        expect("inactivity_timeout" in job.failure.message, True)
        expect(bool(job.failure.advice), True)
        silence = job.attempts[0].evidence.silence.ToMilliseconds()
        expect(silence >= 300, True)

    def call_deadline(self):
        job_id = self.submit_job(task("talk", "never"))
        try:
            for _ in self.watch(job_id, timeout=0.5):
                pass
            raise AssertionError("the job has ended")
        except grpc.RpcError as error:
            expect(error.code(), Code.DEADLINE_EXCEEDED)
        job = self.jobs.GetJob(job_service_pb2.GetJobRequest(job_id=job_id),
                               timeout=TIMEOUT).job
        expect(job.HasField("end_time"), False)
        self.cancel_job(job_id)

    def resubmission(self):
        request = task("exit", "0", request_id="python-resubmission")
        first = self.jobs.SubmitJob(request, timeout=TIMEOUT)
        again = self.jobs.SubmitJob(request, timeout=TIMEOUT)
        expect((first.existed, again.existed), (False, True))
        expect(again.job.job_id, first.job.job_id)
        request.spec.priority = 1
        self.refusal(Code.ALREADY_EXISTS, self.jobs.SubmitJob, request)

    def nested_dispatch(self):
        error = self.refusal(
            Code.FAILED_PRECONDITION, self.jobs.SubmitJob, task("exit", "0"),
            metadata=[("vigil-task", "job=0123456789abcdef;attempt=1")])
        expect(error.details().startswith("NESTED_DISPATCH"), True)
        expect("job 0123456789abcdef" in error.details(), True)

    def invalid_argument(self):
        long = task("exit", "0")
        long.spec.timeouts.inactivity_timeout.seconds = 48 * 3600
        large = task("exit", "0")
        large.spec.input = bytes((3 << 20) + 1)
        for request, field, bound in (
                (long, "spec.timeouts.inactivity_timeout", "24h"),
                (large, "spec.input", str(3 << 20))):
            words = self.refusal(Code.INVALID_ARGUMENT, self.jobs.SubmitJob,
                                 request).details()
            expect((field in words, bound in words), (True, True))

    def pushback(self):
        job_ids, full, accepted = [], False, False
        for _ in range(CALLS_MAX):
            try:
                job_ids.append(self.submit_job(task("talk", "never")))
                accepted = full
                if accepted:
                    break
            except grpc.RpcError as error:
                expect(error.code(), Code.RESOURCE_EXHAUSTED)
                if not full:
                    self.cancel_job(job_ids.pop())
                full = True
                trailers = dict(error.trailing_metadata())
                time.sleep(int(trailers["grpc-retry-pushback-ms"]) / 1000)
        for job_id in job_ids:
            self.cancel_job(job_id)
        expect((full, accepted), (True, True))


def main():
    """Makes the checks that are named, in that order."""
    with grpc.insecure_channel(sys.argv[1]) as channel:
        checks = Checks(channel)
        for name in sys.argv[2:]:
            try:
                getattr(checks, name)()
                say(f"ok {name}")
            except Exception as error:  # pylint: disable=broad-except
                say(f"not ok {name}: {' '.join(repr(error).split())}")


main()

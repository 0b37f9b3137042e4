"""Calls the coordinator that runs it, as a client in another language would.

Usage: nested_dispatch.py SOCKET [STEP...]
Without steps it is a warm task, which takes them from its input, one a word. A
STEP is `submit`, `submit_many:N`, `run`, `get`, `status`, `cancel:JOB`,
`forget` (the token: calls go on without), `forge:TEXT` (sends that in its
place), `sleep:SECONDS` or `exit:STATUS`. Each call prints `STEP: OK`, or its
error's code and details. In a warm task `exit` is an error, in its words.

Needs grpcio, the stubs that protoc makes of proto/vigil/v1, and for the warm
task vigil_task.py.
"""
import os
import sys
import time

import grpc
from vigil.v1 import (
    job_service_pb2, job_service_pb2_grpc, status_service_pb2,
    status_service_pb2_grpc)


class Caller:

    def __init__(self, socket):
        self.channel = grpc.insecure_channel(f"unix:{socket}")
        self.jobs = job_service_pb2_grpc.JobServiceStub(self.channel)
        self.token = os.environ["VIGIL_TASK"]

    def call(self, name, argument):
        """Makes one call and waits for its end."""
        job = job_service_pb2.SubmitJobRequest()
        job.spec.command.argv.append("/bin/true")
        options = {"metadata": [("vigil-task", self.token)] if self.token
                               else None}
        if name == "submit":
            self.jobs.SubmitJob(job, **options)
        elif name == "submit_many":
            self.jobs.SubmitJobs(job_service_pb2.SubmitJobsRequest(
                jobs=[job] * int(argument)), **options)
        elif name == "run":
            list(self.jobs.RunJob(job_service_pb2.RunJobRequest(job=job),
                                  **options))
        elif name == "get":
            self.jobs.GetJob(job_service_pb2.GetJobRequest(
                job_id=os.environ["VIGIL_JOB_ID"]), **options)
        elif name == "cancel":
            self.jobs.CancelJob(job_service_pb2.CancelJobRequest(
                job_id=argument), **options)
        elif name == "status":
            status_service_pb2_grpc.StatusServiceStub(self.channel).GetStatus(
                status_service_pb2.GetStatusRequest(), **options)
        else:
            raise ValueError(name)

    def steps(self, steps, say):
        """Does the steps; returns the exit status they ask for."""
        for step in steps:
            name, _, argument = step.partition(":")
            if name == "exit":
                return int(argument)
            if name == "sleep":
                time.sleep(float(argument))
            elif name == "forget":
                self.token = ""
            elif name == "forge":
                self.token = argument
            else:
                try:
                    self.call(name, argument)
                    say(f"{name}: OK\n")
                except grpc.RpcError as error:
                    say(f"{name}: {error.code().name}: {error.details()}\n")
        return 0


def main():
    caller = Caller(sys.argv[1])
    if len(sys.argv) > 2:
        sys.exit(caller.steps(sys.argv[2:], sys.stdout.write))
    import vigil_task

    def run(job):
        status = caller.steps(job.text.split(), job.token)
        if status:
            raise RuntimeError(f"exit {status}")

    vigil_task.serve(run)


main()

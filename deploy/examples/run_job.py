"""Runs a command on a coordinator and streams it: run_job.py ADDRESS PROGRAM ARG...

Needs grpcio and the stubs that protoc makes of proto/vigil/v1, nothing else.
"""
import sys

import grpc
from vigil.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc

request = job_service_pb2.RunJobRequest()
request.job.spec.command.argv.extend(sys.argv[2:])
request.job.spec.timeouts.inactivity_timeout.seconds = 5

with grpc.insecure_channel(sys.argv[1]) as channel:
    for response in job_service_pb2_grpc.JobServiceStub(channel).RunJob(request):
        event = response.event
        if event.HasField("output"):
            sys.stdout.buffer.write(event.output.data)
            sys.stdout.flush()
        elif event.HasField("job"):
            job = event.job

print(job_pb2.Job.State.Name(job.state), job.failure.message)
sys.exit(job.state != job_pb2.Job.STATE_SUCCEEDED)

"""run_job.py with asyncio: run_job_async.py ADDRESS PROGRAM ARG..."""
import asyncio
import sys
import uuid

import grpc
from vigil.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc

ENDED = (job_pb2.Job.STATE_SUCCEEDED, job_pb2.Job.STATE_FAILED,
         job_pb2.Job.STATE_CANCELLED)
# A coordinator that ends, or a connection that breaks: the job goes on.
CUT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


async def run_job(stub, request, on_output):
    """Runs a RunJobRequest to its end, over broken connections and restarts.

    asyncio.wait_for() bounds it; if it is cancelled, so is the job within 10 s.
    """
    # With it the same job may be asked for twice.
    request.job.request_id = request.job.request_id or uuid.uuid4().hex
    job, cursor = job_pb2.Job(), b""
    while True:
        if not job.job_id:
            stream = stub.RunJob(request)
        else:
            stream = stub.WatchJob(job_service_pb2.WatchJobRequest(
                namespace=job.namespace, job_id=job.job_id, cursor=cursor,
                take_over=True))
        try:
            async for response in stream:
                cursor = response.event.cursor
                if response.event.HasField("job"):
                    job = response.event.job
                elif response.event.HasField("output"):
                    on_output(response.event.output.data)
            if job.state in ENDED:
                return job
        except grpc.RpcError as error:
            if error.code() not in CUT:
                raise
        await asyncio.sleep(0.2)


def write(data):
    """Shows output as it comes."""
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


async def main():
    """Runs the command line."""
    run = job_service_pb2.RunJobRequest()
    run.job.spec.command.argv.extend(sys.argv[2:])
    run.job.spec.timeouts.inactivity_timeout.seconds = 5
    async with grpc.aio.insecure_channel(sys.argv[1]) as channel:
        return await run_job(
            job_service_pb2_grpc.JobServiceStub(channel), run, write)


if __name__ == "__main__":
    end = asyncio.run(main())
    print(job_pb2.Job.State.Name(end.state), end.failure.message)
    sys.exit(end.state != job_pb2.Job.STATE_SUCCEEDED)

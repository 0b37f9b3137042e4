#!/usr/bin/python3
"""Counts a coordinator's jobs by state, and the items of each batch.

Usage: count_jobs.py ADDRESS
Reads every page of ListJobs and of ListBatches and prints JSON such as
{"states": {"SUCCEEDED": 2455, "FAILED": 8}, "degraded": 25, "batches":
[{"accepted": 1643, "succeeded": 1643, "degraded": 17, "failed": 0}]}. Needs
grpcio and the stubs that protoc makes of proto/vigil/v1.
"""
import collections
import json
import sys

import grpc
from vigil.v1 import (
    batch_service_pb2,
    batch_service_pb2_grpc,
    job_pb2,
    job_service_pb2,
    job_service_pb2_grpc,
)

PAGE_SIZE = 1000
COUNTS = ("accepted", "succeeded", "degraded", "failed")


def pages(call, request):
    """Yields every page of a list, from the first to the last."""
    while True:
        page = call(request)
        yield page
        request.page_token = page.next_page_token
        if not request.page_token:
            return


states = collections.Counter()
degraded = 0
with grpc.insecure_channel(sys.argv[1]) as channel:
    for page in pages(job_service_pb2_grpc.JobServiceStub(channel).ListJobs,
                      job_service_pb2.ListJobsRequest(page_size=PAGE_SIZE)):
        for job in page.jobs:
            name = job_pb2.Job.State.Name(job.state)
            states[name.removeprefix("STATE_")] += 1
            degraded += job.degraded
    batches = [
        {name: getattr(batch.counts, name) for name in COUNTS}
        for page in pages(
            batch_service_pb2_grpc.BatchServiceStub(channel).ListBatches,
            batch_service_pb2.ListBatchesRequest(page_size=PAGE_SIZE))
        for batch in page.batches]
print(json.dumps({"states": states, "degraded": degraded,
                  "batches": batches}))

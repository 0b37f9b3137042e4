#!/usr/bin/python3
"""Counts a coordinator's jobs by state, over every page of ListJobs.

Usage: count_jobs.py ADDRESS
Prints JSON such as {"SUCCEEDED": 1626, "FAILED": 17}. Needs grpcio and the
stubs that protoc makes of proto/vigil/v1.
"""
import collections
import json
import sys

import grpc
from vigil.v1 import job_pb2, job_service_pb2, job_service_pb2_grpc

counts = collections.Counter()
with grpc.insecure_channel(sys.argv[1]) as channel:
    jobs = job_service_pb2_grpc.JobServiceStub(channel)
    request = job_service_pb2.ListJobsRequest(page_size=1000)
    while True:
        page = jobs.ListJobs(request)
        for job in page.jobs:
            counts[job_pb2.Job.State.Name(job.state).removeprefix(
                "STATE_")] += 1
        request.page_token = page.next_page_token
        if not request.page_token:
            break
print(json.dumps(counts))

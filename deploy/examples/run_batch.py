"""Runs a batch of commands on a coordinator: run_batch.py ADDRESS PROGRAM ITEM...

Each item becomes the program's one argument. Needs grpcio and the stubs that
protoc makes of proto/vigil/v1, nothing else.
"""
import sys

import grpc
from vigil.v1 import batch_pb2, batch_service_pb2, batch_service_pb2_grpc, job_pb2

address, program, *words = sys.argv[1:]

first = batch_service_pb2.RunBatchRequest(close=True)
first.open.spec.job.command.SetInParent()  # argv comes with each item
first.open.spec.stop_rule.consecutive_failures = 10
for word in words:
    first.items.add(arguments=[program, word])

batch = batch_pb2.Batch()
with grpc.insecure_channel(address) as channel:
    stub = batch_service_pb2_grpc.BatchServiceStub(channel)
    for response in stub.RunBatch(iter([first])):
        for result in response.event.results:
            print(words[result.index], job_pb2.Job.State.Name(result.job.state),
                  result.job.failure.message or result.refusal.message)
        if response.event.HasField("batch"):
            batch = response.event.batch

print(batch.counts.succeeded, "of", batch.counts.accepted, "succeeded")
sys.exit(batch.counts.succeeded != len(words))

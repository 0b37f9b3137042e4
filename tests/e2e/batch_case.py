"""What the tests of BatchService share: requests, and a client that sends items
and takes results as any Python program would.
"""
import queue
import unittest

from cluster import PATIENCE, Cluster, wait_until
from vigil.v1 import batch_pb2, batch_service_pb2, batch_service_pb2_grpc

Batch = batch_pb2.Batch
Spec = batch_pb2.BatchSpec


def command_spec(cluster, *argv, **options):
    """A BatchSpec for a command; options of the job as in Cluster.apply."""
    spec = batch_pb2.BatchSpec()
    spec.job.CopyFrom(cluster.command(*argv, **options).spec)
    return spec


def item(*arguments, text=None):
    """A BatchItem."""
    made = batch_pb2.BatchItem(arguments=[str(one) for one in arguments])
    if text is not None:
        made.input = text
    return made


class RunBatchCall:
    """A RunBatch stream. Requests are sent when the test says so; results are
    read by the test's own thread, by events() or next_event()."""

    def __init__(self, stub, spec, request_id="", order=0, cursor=b"",
                 items=(), close=False):
        self.requests = queue.Queue()
        request = batch_service_pb2.RunBatchRequest(
            order=order, cursor=cursor, items=items, close=close)
        request.open.spec.CopyFrom(spec)
        request.open.request_id = request_id
        self.cursor = cursor
        self.batch = None
        self.accepted = 0
        self.requests.put(request)
        if close:
            self.requests.put(None)
        self.call = stub.RunBatch(iter(self.requests.get, None),
                                  timeout=2 * PATIENCE)

    def send(self, first_index, *items, close=False):
        """Sends items; with close, says that there are no more."""
        self.requests.put(batch_service_pb2.RunBatchRequest(
            items=items, first_index=first_index, close=close))
        if close:
            self.requests.put(None)

    def next_event(self):
        """The next event, whose cursor is kept."""
        event = next(self.call).event
        self.cursor = event.cursor
        self.accepted = event.accepted
        if event.HasField("batch"):
            self.batch = event.batch
        return event

    def events(self):
        """All events to the end."""
        while True:
            try:
                yield self.next_event()
            except StopIteration:
                return

    def results(self):
        """All results to the end."""
        return [result for event in self.events() for result in event.results]

    def drop(self):
        """Breaks the stream, as a client that dies."""
        self.call.cancel()
        self.requests.put(None)


class BatchTestCase(unittest.TestCase):
    """Has a coordinator with two slots for each test."""

    slots = 2
    flags = ()

    def setUp(self):
        self.cluster = Cluster(local_slots=self.slots, flags=self.flags)
        self.cluster.__enter__()
        self.addCleanup(self.cluster.stop)
        self.connect()

    def connect(self):
        """Makes the stub anew, as after a restart."""
        self.stub = batch_service_pb2_grpc.BatchServiceStub(
            self.cluster.channel)

    def run_batch(self, spec, *items, **options):
        """Runs a whole batch; returns its last state and its results."""
        call = RunBatchCall(self.stub, spec, items=items, close=True, **options)
        results = call.results()
        self.assertEqual(call.batch.state, Batch.STATE_ENDED)
        return call.batch, results

    def create(self, spec, *items, request_id="", close=True):
        """CreateBatch, AddItems, CloseBatch; returns the id."""
        request = batch_service_pb2.CreateBatchRequest()
        request.open.spec.CopyFrom(spec)
        request.open.request_id = request_id
        batch_id = self.stub.CreateBatch(request).batch.batch_id
        if items:
            self.add(batch_id, *items)
        if close:
            self.close(batch_id)
        return batch_id

    def add(self, batch_id, *items, **fields):
        """AddItems."""
        return self.stub.AddItems(batch_service_pb2.AddItemsRequest(
            batch_id=batch_id, items=items, **fields)).batch

    def close(self, batch_id):
        """CloseBatch."""
        return self.stub.CloseBatch(batch_service_pb2.CloseBatchRequest(
            batch_id=batch_id)).batch

    def cancel(self, batch_id):
        """CancelBatch."""
        return self.stub.CancelBatch(batch_service_pb2.CancelBatchRequest(
            batch_id=batch_id)).batch

    def get(self, batch_id):
        """GetBatch."""
        return self.stub.GetBatch(batch_service_pb2.GetBatchRequest(
            batch_id=batch_id)).batch

    def finish(self, batch_id):
        """Waits for a batch's end and returns it."""
        def ended():
            batch = self.get(batch_id)
            return batch if batch.state == Batch.STATE_ENDED else None
        return wait_until(ended, f"batch {batch_id} ends")

    def watch(self, batch_id, **options):
        """WatchBatch to the end; returns events."""
        return [response.event for response in self.stub.WatchBatch(
            batch_service_pb2.WatchBatchRequest(batch_id=batch_id, **options),
            timeout=2 * PATIENCE)]

    def results_of(self, batch_id, **options):
        """The results of WatchBatch."""
        return [result for event in self.watch(batch_id, **options)
                for result in event.results]

"""Proves that batches survive broken streams and kill -9 of the coordinator: no
item is lost, none has two outcomes, and a stream goes on where it was (rows A3,
B6, C9). How: streams are broken and the coordinator killed while items run.
"""
import unittest

import grpc
from batch_case import Batch, BatchTestCase, RunBatchCall, command_spec, item
from cluster import State, wait_until


class BatchResumeTest(BatchTestCase):

    def spec(self, script="true"):
        """A spec whose items are indexes of a shell script."""
        spec = command_spec(self.cluster, "/bin/sh", "-c", script)
        spec.max_in_flight = 8
        return spec

    def restart(self):
        """kill -9, and a new coordinator."""
        self.cluster.kill()
        self.cluster.start()
        self.connect()

    def check_all(self, indexes, items):
        """That each item had one result."""
        self.assertEqual(sorted(indexes), list(range(items)))

    def test_C9_a_broken_stream_is_taken_up(self):
        spec = self.spec()
        call = RunBatchCall(self.stub, spec, request_id="r",
                            items=[item()] * 6)
        first = call.next_event()
        indexes = [one.index for one in first.results]
        while len(indexes) < 3:
            indexes += [one.index for one in call.next_event().results]
        call.drop()
        received = len(indexes)
        again = RunBatchCall(self.stub, spec, request_id="r",
                             cursor=call.cursor)
        indexes += [one.index for one in again.next_event().results]
        self.assertEqual(again.batch.batch_id, call.batch.batch_id)
        self.assertEqual(again.accepted, 6)
        again.send(again.accepted, *[item()] * 4, close=True)
        indexes += [one.index for one in again.results()]
        self.check_all(indexes, 10)
        self.assertEqual(again.batch.counts.succeeded, 10)
        # And when it has ended: what was not received is there.
        late = RunBatchCall(self.stub, spec, request_id="r",
                            cursor=call.cursor, close=True)
        self.assertEqual(len(late.results()), 10 - received)
        self.assertEqual(late.batch.state, Batch.STATE_ENDED)

    def test_C9_the_last_stream_has_it(self):
        spec = self.spec()
        call = RunBatchCall(self.stub, spec, request_id="r")
        call.next_event()
        again = RunBatchCall(self.stub, spec, request_id="r")
        again.next_event()
        with self.assertRaises(grpc.RpcError) as raised:
            call.next_event()
        self.assertEqual(raised.exception.code(), grpc.StatusCode.ABORTED)
        again.send(0, item(), close=True)
        self.assertEqual(len(again.results()), 1)

    def test_A3_a_batch_that_nobody_takes_up_is_stopped(self):
        spec = self.spec("exec sleep 600")
        spec.job.timeouts.shutdown_grace.FromSeconds(0)
        call = RunBatchCall(self.stub, spec, items=[item()] * 3, close=True)
        batch_id = call.next_event().batch.batch_id
        wait_until(lambda: self.cluster.get_status().slots_busy == 2,
                   "two run")
        call.drop()
        batch = self.finish(batch_id)
        self.assertEqual(batch.stop_cause, Batch.STOP_CAUSE_DISCONNECTED)
        self.assertEqual(batch.counts.cancelled, 3)

    def test_A3_kill_9_of_the_coordinator_loses_nothing_of_a_stream(self):
        spec = self.spec("sleep 0.05")
        call = RunBatchCall(self.stub, spec, request_id="r",
                            items=[item()] * 30)
        indexes = []
        while len(indexes) < 5:
            indexes += [one.index for one in call.next_event().results]
        self.restart()
        again = RunBatchCall(self.stub, spec, request_id="r",
                             cursor=call.cursor)
        indexes += [one.index for one in again.next_event().results]
        # What it had accepted and what not is the coordinator's to say.
        self.assertGreaterEqual(again.accepted, len(indexes))
        again.send(again.accepted, *[item()] * (30 - again.accepted),
                   close=True)
        indexes += [one.index for one in again.results()]
        self.check_all(indexes, 30)
        self.assertEqual(again.batch.counts.succeeded, 30)

    def test_A3_kill_9_of_the_coordinator_loses_nothing_of_the_store(self):
        runs = self.cluster.dir / "runs"
        spec = self.spec(f"echo $0 >> {runs}; sleep 0.03")
        spec.job.command.argv.append("-")
        batch_id = self.create(spec, *[
            item("/bin/sh", "-c", f"echo {i} >> {runs}; sleep 0.03")
            for i in range(40)])
        for done in (5, 15, 25):
            wait_until(lambda: self.get(batch_id).counts.succeeded >= done,
                       f"{done} are done")
            self.restart()
        batch = self.finish(batch_id)
        self.assertEqual(batch.counts.succeeded, 40)
        self.check_all([one.index for one in self.results_of(batch_id)], 40)
        self.assertEqual({int(line) for line in runs.read_text().split()},
                         set(range(40)))
        states = {job.state for job in self.cluster.list_jobs()}
        self.assertEqual(states, {State.STATE_SUCCEEDED})

    def test_B7_a_stop_that_was_under_way_goes_on_after_a_restart(self):
        spec = self.spec("trap '' TERM; sleep 600")
        spec.job.timeouts.shutdown_grace.FromSeconds(3)
        spec.job.max_processes = 2
        batch_id = self.create(spec, *[item()] * 3)
        wait_until(lambda: self.cluster.get_status().slots_busy == 2,
                   "two run")
        self.assertEqual(self.cancel(batch_id).state, Batch.STATE_STOPPING)
        self.restart()
        batch = self.finish(batch_id)
        self.assertEqual(batch.stop_cause, Batch.STOP_CAUSE_CANCELLED)
        self.assertEqual(batch.counts.cancelled, 3)


if __name__ == "__main__":
    unittest.main()

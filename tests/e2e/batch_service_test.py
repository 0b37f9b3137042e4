"""Proves what BatchService promises (rows B6, B7, B8, C4, C9): one call for a
whole batch, one outcome for each item, limits that hold, deadlines and stop
rules that leave what has finished. How: real commands, through the public API.
"""
import pathlib
import subprocess
import unittest

import grpc
from batch_case import (
    Batch, BatchTestCase, RunBatchCall, Spec, command_spec, item)
from cluster import PYTHON, Reason, State, alive, refused, wait_until
from vigil.v1 import batch_pb2, batch_service_pb2, job_service_pb2

SUCCEEDED = State.STATE_SUCCEEDED
BY_INDEX = batch_pb2.RESULT_ORDER_BY_INDEX


class BatchServiceTest(BatchTestCase):

    def sh(self, script='eval "$1"', **options):
        """A spec whose items are shell commands."""
        return command_spec(self.cluster, "/bin/sh", "-c", script, "sh",
                            **options)

    @staticmethod
    def shell(script):
        """An item that is a shell command."""
        return item("/bin/sh", "-c", script)

    def states(self, results):
        """State by index; each index once."""
        states = {result.index: result.job.state for result in results}
        self.assertEqual(len(states), len(results))
        return states

    def counted(self, batch):
        """That every accepted item has one outcome."""
        counts = batch.counts
        self.assertEqual(counts.accepted, counts.succeeded + counts.failed +
                         counts.cancelled + counts.refused + counts.not_run)
        self.assertEqual(counts.in_flight, 0)

    # --- one call
    def test_C9_a_whole_batch_is_one_call(self):
        spec = self.sh()
        items = [self.shell(f"exit {int(i % 5 == 3)}") for i in range(20)]
        batch, results = self.run_batch(spec, *items)
        self.assertEqual(
            self.states(results),
            {i: State.STATE_FAILED if i % 5 == 3 else SUCCEEDED
             for i in range(20)})
        self.counted(batch)
        self.assertEqual(batch.counts.failed, 4)
        self.assertFalse(batch.partial)
        self.assertEqual(batch.reasons[0].reason, Reason.REASON_NONZERO_EXIT)
        self.assertEqual(batch.reasons[0].items, 4)
        jobs = self.cluster.list_jobs()
        self.assertEqual({job.batch_id for job in jobs}, {batch.batch_id})
        self.assertEqual(sorted(job.batch_index for job in jobs),
                         list(range(20)))
        other = self.cluster.submit(self.cluster.command("/bin/true"))
        listed = self.cluster.list_jobs(
            filter=job_service_pb2.JobFilter(batch_id=batch.batch_id))
        self.assertEqual(len(listed), 20)
        self.assertNotIn(other, [job.job_id for job in listed])

    def test_C9_results_by_index_and_their_order(self):
        spec = self.sh()
        # The first one ends last.
        items = [self.shell("sleep 1")] + [self.shell("true")] * 5
        _, results = self.run_batch(spec, *items, order=BY_INDEX)
        self.assertEqual([one.index for one in results], list(range(6)))
        _, results = self.run_batch(spec, *items)
        self.assertEqual(results[-1].index, 0)

    def test_B6_items_come_in_pieces_as_there_is_room(self):
        spec = self.sh()
        spec.max_in_flight = 2
        call = RunBatchCall(self.stub, spec, items=[self.shell("true")] * 3)
        seen = 0
        while seen < 3:
            seen += len(call.next_event().results)
        # Sent again, as after a doubt: the first two are skipped.
        call.send(1, self.shell("exit 9"), self.shell("exit 9"),
                  self.shell("exit 7"), close=True)
        results = call.results()
        self.assertEqual([one.index for one in results], [3])
        self.assertEqual(results[0].job.exit.status, 7)
        self.assertEqual(call.batch.counts.accepted, 4)

    def test_B6_items_without_an_index_follow_those_before(self):
        spec = self.sh()
        call = RunBatchCall(self.stub, spec, items=[self.shell("true")] * 2)
        call.send(None, self.shell("exit 7"), close=True)
        results = call.results()
        self.assertEqual(self.states(results)[2], State.STATE_FAILED)
        self.assertEqual(call.batch.counts.accepted, 3)

    def test_B6_a_large_program_is_not_held_for_each_item(self):
        spec = self.sh()
        spec.job.input = b"x" * (3 << 20)
        spec.max_in_flight = 400
        batch, _ = self.run_batch(spec, *[self.shell("true")] * 400)
        self.assertEqual(batch.counts.succeeded, 400)
        for line in pathlib.Path(
                f"/proc/{self.cluster.coordinator.pid}/status"
        ).read_text().splitlines():
            if line.startswith("VmHWM:"):
                # All of them would be 1.2 GB.
                self.assertLess(int(line.split()[1]), 600_000)

    def test_B6_never_more_in_flight_than_asked_for(self):
        spec = self.sh()
        spec.max_in_flight = 3
        go = self.cluster.dir / "go"
        wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
        batch_id = self.create(spec, *[self.shell(wait)] * 8)
        wait_until(lambda: self.get(batch_id).counts.in_flight == 3,
                   "three are in flight")
        self.assertEqual(len(self.cluster.list_jobs()), 3)
        go.touch()
        self.counted(self.finish(batch_id))
        self.assertEqual(len(self.cluster.list_jobs()), 8)

    def test_C4_a_sequential_batch_never_overlaps(self):
        spec = self.sh()
        spec.mode = Spec.MODE_SEQUENTIAL
        spec.job.retry.retry_on.append(Reason.REASON_NONZERO_EXIT)
        mark = self.cluster.dir / "mark"
        # Fails if another runs; the third one fails once.
        script = (f"mkdir {mark} && sleep 0.05 && rmdir {mark} && "
                  "[ $0$VIGIL_ATTEMPT != two1 ]")
        items = [item("/bin/sh", "-c", script, name)
                 for name in ("zero", "one", "two", "three")]
        call = RunBatchCall(self.stub, spec, items=items, close=True)
        order = []
        for event in call.events():
            order += [result.index for result in event.results]
            if event.results and len(order) < 4:
                # Progress after each.
                self.assertEqual(event.batch.counts.succeeded, len(order))
        self.assertEqual(order, [0, 1, 2, 3])
        self.assertEqual(call.batch.counts.succeeded, 4)
        self.assertEqual(call.batch.counts.retried, 1)

    # --- bad items
    def test_B8_one_bad_item_never_fails_the_batch(self):
        spec = self.sh()
        batch, results = self.run_batch(
            spec, self.shell("true"), item("", "x"), self.shell("kill -9 $$"),
            item("/no/such/program"), self.shell("true"))
        by_index = {one.index: one for one in results}
        self.assertEqual(by_index[1].refusal.code,
                         grpc.StatusCode.INVALID_ARGUMENT.value[0])
        self.assertIn("argv", by_index[1].refusal.message)
        self.assertEqual(by_index[2].job.failure.reason, Reason.REASON_SIGNALLED)
        self.assertEqual(by_index[3].job.failure.reason,
                         Reason.REASON_SPAWN_FAILED)
        self.assertEqual(batch.counts.succeeded, 2)
        self.assertEqual(batch.counts.refused, 1)
        self.counted(batch)
        # A batch that lies in the store refuses it the same way.
        batch_id = self.create(spec, self.shell("true"), item("", "x"))
        results = {one.index: one for one in self.results_of(batch_id)}
        self.assertEqual(results[0].job.state, SUCCEEDED)
        self.assertIn("argv", results[1].refusal.message)

    def test_B4_a_fallback_stands_in_for_what_fails(self):
        spec = command_spec(self.cluster, "/bin/false")
        spec.job.fallback.input = True
        batch, results = self.run_batch(spec, item(text=b"zero"), item(),
                                        item(text=b"two"))
        by_index = {one.index: one for one in results}
        self.assertEqual(by_index[0].job.result, b"zero")
        self.assertTrue(by_index[2].job.degraded)
        self.assertIn("input is missing", by_index[1].refusal.message)
        self.assertEqual(batch.counts.degraded, 2)
        self.assertEqual(batch.counts.succeeded, 2)
        # From the store, too.
        again = self.results_of(batch.batch_id, order=BY_INDEX)
        self.assertEqual([one.job.result for one in again],
                         [b"zero", b"", b"two"])

    # --- being stopped
    def test_B7_a_deadline_returns_what_has_finished(self):
        spec = self.sh()
        spec.max_in_flight = 4
        spec.schedule_to_close_timeout.FromMilliseconds(1500)
        spec.job.timeouts.shutdown_grace.FromSeconds(0)
        pid_file = self.cluster.dir / "pid"
        items = [self.shell("true"), self.shell(
            f"echo $$ > {pid_file}; exec sleep 600")] + [
                self.shell("exec sleep 600")] * 4
        batch_id = self.create(spec, *items)
        results = self.results_of(batch_id)
        batch = self.get(batch_id)
        self.assertEqual(batch.state, Batch.STATE_ENDED)
        self.assertTrue(batch.partial)
        self.assertEqual(batch.stop_cause, Batch.STOP_CAUSE_DEADLINE)
        self.assertIn("schedule_to_close_timeout", batch.stop_message)
        self.counted(batch)
        self.assertEqual(batch.counts.succeeded, 1)
        self.assertEqual(batch.counts.cancelled, 4)
        self.assertEqual(batch.counts.not_run, 1)
        self.assertEqual(len(results), 5)
        self.assertFalse(alive(int(pid_file.read_text())))

    def test_B8_failures_stop_it_only_when_asked_to(self):
        spec = self.sh()
        spec.mode = Spec.MODE_SEQUENTIAL
        items = [self.shell("exit 1")] * 4
        batch, _ = self.run_batch(spec, *items)
        self.assertEqual(batch.counts.failed, 4)
        spec.stop_rule.consecutive_failures = 2
        batch, results = self.run_batch(spec, *items)
        self.assertEqual(batch.stop_cause, Batch.STOP_CAUSE_STOP_RULE)
        self.assertTrue(batch.partial)
        self.assertEqual(batch.counts.failed, 2)
        self.assertEqual(len(results), 2)
        self.counted(batch)

    def test_A7_a_batch_can_be_cancelled(self):
        spec = self.sh()
        spec.max_in_flight = 3
        spec.job.timeouts.shutdown_grace.FromSeconds(0)
        batch_id = self.create(spec, *[self.shell("exec sleep 600")] * 5)
        wait_until(lambda: self.cluster.get_status().slots_busy == 2,
                   "two run")
        cancelled = self.cancel(batch_id)
        self.assertEqual(cancelled.stop_cause, Batch.STOP_CAUSE_CANCELLED)
        batch = self.finish(batch_id)
        self.assertEqual(batch.counts.cancelled, 3)
        self.assertEqual(batch.counts.not_run, 2)
        self.assertEqual(self.cancel(batch_id), batch)

    # --- without a connection
    def test_C9_a_batch_needs_no_connection(self):
        spec = self.sh()
        batch_id = self.create(spec, *[self.shell("true")] * 3, close=False)
        wait_until(lambda: self.get(batch_id).counts.succeeded == 3,
                   "the first three are done")
        self.assertEqual(self.get(batch_id).state, Batch.STATE_OPEN)
        # A repeated call changes nothing.
        self.add(batch_id, *[self.shell("true")] * 4, first_index=1)
        self.assertEqual(self.get(batch_id).counts.accepted, 5)
        error = refused(self.stub.AddItems, batch_service_pb2.AddItemsRequest(
            batch_id=batch_id, items=[self.shell("true")], first_index=6))
        self.assertEqual(error.code(), grpc.StatusCode.OUT_OF_RANGE)
        self.close(batch_id)
        batch = self.finish(batch_id)
        self.assertEqual(batch.counts.succeeded, 5)
        error = refused(self.stub.AddItems, batch_service_pb2.AddItemsRequest(
            batch_id=batch_id, items=[self.shell("true")]))
        self.assertEqual(error.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertIn("ENDED", error.details())

    def test_C9_watching_goes_on_behind_any_event(self):
        spec = self.sh()
        batch_id = self.create(spec, *[self.shell("true")] * 40)
        self.finish(batch_id)
        for order in (BY_INDEX, batch_pb2.RESULT_ORDER_AS_COMPLETED):
            events = self.watch(batch_id, order=order)
            self.assertEqual(events[-1].batch.state, Batch.STATE_ENDED)
            whole = [one.index for event in events for one in event.results]
            self.assertEqual(sorted(whole), list(range(40)))
            if order == BY_INDEX:
                self.assertEqual(whole, list(range(40)))
            seen = 0
            for event in events:
                seen += len(event.results)
                rest = self.results_of(batch_id, order=order,
                                       cursor=event.cursor)
                self.assertEqual([one.index for one in rest], whole[seen:])

    def test_C9_batches_are_listed(self):
        spec = self.sh()
        ids = [self.create(spec, close=False) for _ in range(5)]
        self.close(ids[2])
        listed, token = [], ""
        while True:
            answer = self.stub.ListBatches(batch_service_pb2.ListBatchesRequest(
                page_size=2, page_token=token))
            listed += [batch.batch_id for batch in answer.batches]
            token = answer.next_page_token
            if not token:
                break
        self.assertEqual(listed, ids[::-1])
        answer = self.stub.ListBatches(batch_service_pb2.ListBatchesRequest(
            states=[Batch.STATE_ENDED]))
        self.assertEqual([one.batch_id for one in answer.batches], [ids[2]])
        self.assertEqual(self.cluster.get_status().batches, 4)

    def test_C9_request_ids_make_it_safe_to_repeat(self):
        spec = self.sh()
        first = self.create(spec, request_id="r", close=False)
        self.assertEqual(self.create(spec, request_id="r"), first)
        # Also of one that has ended.
        self.finish(first)
        self.assertEqual(self.create(spec, request_id="r"), first)
        spec.max_in_flight = 7
        request = batch_service_pb2.CreateBatchRequest()
        request.open.spec.CopyFrom(spec)
        request.open.request_id = "r"
        error = refused(self.stub.CreateBatch, request)
        self.assertEqual(error.code(), grpc.StatusCode.ALREADY_EXISTS)

    def test_C9_the_example_in_README_works(self):
        def run(*items):
            return subprocess.run(
                [PYTHON, "deploy/examples/run_batch.py", self.cluster.address,
                 "/bin/ls", *items],
                stdout=subprocess.PIPE, timeout=60, check=False, text=True)
        good = run("/", "/bin")
        self.assertEqual(good.returncode, 0)
        self.assertEqual(sorted(good.stdout.splitlines()),
                         ["/ STATE_SUCCEEDED ", "/bin STATE_SUCCEEDED ",
                          "2 of 2 succeeded"])
        bad = run("/", "/nonesuch")
        self.assertEqual(bad.returncode, 1)
        self.assertIn("/nonesuch STATE_FAILED", bad.stdout)
        self.assertIn("1 of 2 succeeded", bad.stdout)

    # --- what is refused
    def test_bad_requests_are_refused_by_name(self):
        spec = self.sh()

        def run(*requests):
            with self.assertRaises(grpc.RpcError) as raised:
                list(self.stub.RunBatch(iter(requests), timeout=60))
            return raised.exception

        error = run(batch_service_pb2.RunBatchRequest(close=True))
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("open is missing", error.details())
        request = batch_service_pb2.RunBatchRequest(close=True)
        request.open.spec.CopyFrom(spec)
        request.open.spec.max_in_flight = 100_001
        self.assertIn("spec.max_in_flight is 100001", run(request).details())
        request.open.spec.CopyFrom(spec)
        request.cursor = b"x"
        self.assertIn("cursor is damaged", run(request).details())
        # What it had begun is not left behind.
        wait_until(lambda: self.cluster.get_status().batches == 0,
                   "no batch is left")
        request.cursor = b""
        request.order = 7
        self.assertIn("order is none of", run(request).details())
        self.assertEqual(self.cluster.get_status().batches, 0)
        request.order = 0
        request.first_index = -1
        self.assertIn("first_index is -1", run(request).details())
        request.first_index = 3
        request.items.add()
        self.assertIn("first_index is 3, and 0 items", run(request).details())
        request.first_index = 0
        del request.items[:]
        request.close = False
        self.assertIn("without `close`", run(request).details())
        self.assertIn("open is in the first request",
                      run(request, request).details())
        error = refused(self.stub.GetBatch, batch_service_pb2.GetBatchRequest(
            batch_id="nonesuch"))
        self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)

    def test_B1_a_task_makes_no_batches(self):
        request = batch_service_pb2.CreateBatchRequest()
        request.open.spec.CopyFrom(self.sh())
        with self.assertRaises(grpc.RpcError) as raised:
            self.stub.CreateBatch(
                request, metadata=[("vigil-task", "job=x;attempt=1")])
        self.assertEqual(raised.exception.code(),
                         grpc.StatusCode.FAILED_PRECONDITION)
        self.assertIn("NESTED_DISPATCH", raised.exception.details())


if __name__ == "__main__":
    unittest.main()

"""How output reaches its readers: RunJob loses nothing and slows the task down,
WatchJob loses the oldest and says so, a cursor goes on where it stopped, also
across kill -9 of the coordinator, and a job ends with the connection that asked
for it unless told otherwise.

The tasks number their lines, so that a lost or doubled byte shows.
"""
import time
import unittest

import grpc
from vigil.v1 import job_service_pb2

from deadline_case import seconds
from cluster import (
    FINAL,
    PYTHON,
    STDOUT,
    TASKS,
    Cluster,
    Reason,
    State,
    processes_with,
    wait_until,
)

CANCEL = job_service_pb2.RunJobRequest.ON_DISCONNECT_CANCEL
CONTINUE = job_service_pb2.RunJobRequest.ON_DISCONNECT_CONTINUE


def counted(lines, filler=0):
    """What counting.py writes."""
    dots = b"." * filler
    return b"".join(b"%d %s\n" % (i, dots) for i in range(lines))


def counting(cluster, *arguments, **options):
    """A command that runs counting.py."""
    return cluster.command(PYTHON, f"{TASKS}/counting.py", *arguments,
                           **options)


class Watcher:
    """Reads a stream of events: output, gaps, cursor, job."""

    def __init__(self, stream):
        self.stream = stream
        self.out = b""
        self.gaps = []
        self.cursor = b""
        self.job = None

    def read(self):
        """Takes one event; False at the end of the stream."""
        response = next(self.stream, None)
        if response is None:
            return False
        event = response.event
        if event.HasField("output"):
            assert event.output.stream == STDOUT, event
            self.out += event.output.data
        elif event.HasField("gap"):
            self.gaps.append(event.gap)
        elif event.HasField("job"):
            self.job = event.job
        self.cursor = event.cursor
        return True

    def read_all(self):
        """Takes what comes until the end."""
        while self.read():
            pass
        return self


def watch(cluster, job_id, **fields):
    """WatchJob."""
    return Watcher(cluster.jobs.WatchJob(
        job_service_pb2.WatchJobRequest(job_id=job_id, **fields)))


def run_job(cluster, request, on_disconnect=CANCEL):
    """RunJob."""
    return Watcher(cluster.jobs.RunJob(job_service_pb2.RunJobRequest(
        job=request, on_disconnect=on_disconnect)))


class DeliveryTest(unittest.TestCase):

    def test_L1_a_slow_reader_of_RunJob_loses_nothing_and_kills_nothing(self):
        lines, filler = 3000, 4000  # 12 MB, far above every buffer between
        with Cluster() as cluster:
            watcher = run_job(cluster, counting(
                cluster, lines, 0, filler, inactivity=1))
            while not watcher.out:
                watcher.read()
            job_id = watcher.job.job_id

            def stalled():
                before = cluster.get(job_id).attempts[0].stdout_bytes
                time.sleep(1.2)
                return before == cluster.get(job_id).attempts[0].stdout_bytes
            wait_until(stalled, "the worker stops reading")
            # Twice the inactivity deadline, in which the task cannot write.
            time.sleep(2)
            self.assertEqual(cluster.get(job_id).state, State.STATE_RUNNING)
            watcher.read_all()
            self.assertEqual(watcher.job.state, State.STATE_SUCCEEDED,
                             watcher.job.failure)
            self.assertEqual(watcher.gaps, [])
            self.assertTrue(watcher.out == counted(lines, filler))

    def test_A1_a_slow_watcher_slows_nothing_and_is_told_of_its_gap(self):
        lines, filler = 3000, 4000
        with Cluster() as cluster:
            job_id = cluster.submit(
                counting(cluster, lines, 0, filler))
            watcher = watch(cluster, job_id)
            while not watcher.out:
                watcher.read()
            # It does not read on, and the job ends all the same.
            job = cluster.finish(job_id)
            self.assertEqual(job.state, State.STATE_SUCCEEDED, job.failure)
            watcher.read_all()
            self.assertEqual(watcher.job.state, State.STATE_SUCCEEDED)
            missing = sum(gap.size_bytes for gap in watcher.gaps)
            self.assertGreater(missing, 0)
            self.assertEqual(len(watcher.out) + missing,
                             len(counted(lines, filler)))
            # What the gap says is what is missing, and no more.
            expected, gap = counted(lines, filler), watcher.gaps[0]
            self.assertTrue(watcher.out.startswith(expected[:gap.offset]))
            last = watcher.gaps[-1]
            self.assertTrue(watcher.out.endswith(
                expected[last.offset + last.size_bytes:]))
            # It was only this watcher that lost it.
            again = watch(cluster, job_id).read_all()
            self.assertTrue(again.out == expected)


class CursorTest(unittest.TestCase):

    def test_C7_a_cursor_goes_on_without_losing_or_doubling_a_byte(self):
        lines = 60
        with Cluster() as cluster:
            job_id = cluster.submit(counting(cluster, lines, 0.03, 50))
            out, cursor, job = b"", b"", None
            streams = 0
            while job is None or job.state not in FINAL:
                watcher = watch(cluster, job_id, cursor=cursor)
                streams += 1
                while len(watcher.out) < 300 and watcher.read():
                    pass
                watcher.stream.cancel()
                out += watcher.out
                cursor = watcher.cursor
                job = watcher.job or job
                self.assertEqual(watcher.gaps, [])
            self.assertEqual(out, counted(lines, 50))
            self.assertGreater(streams, 3)
            # Of an ended job it gives the rest and the end.
            rest = watch(cluster, job_id, cursor=cursor).read_all()
            self.assertEqual(rest.out, b"")
            self.assertEqual(rest.job.state, State.STATE_SUCCEEDED)

    def test_C7_a_cursor_survives_kill_9_of_the_coordinator(self):
        lines = 80
        with Cluster(local_slots=0) as cluster:
            cluster.start_worker("w")
            job_id = cluster.submit(counting(cluster, lines, 0.05, 50))
            first = watch(cluster, job_id)
            while len(first.out) < 500:
                first.read()
            task = wait_until(lambda: processes_with("counting.py"), "it runs")
            cluster.kill()
            with self.assertRaises(grpc.RpcError):
                first.read_all()
            cluster.start()
            second = watch(cluster, job_id, cursor=first.cursor).read_all()
            self.assertEqual(second.job.state, State.STATE_SUCCEEDED,
                             second.job.failure)
            self.assertEqual(first.out + second.out, counted(lines, 50))
            # The very process that ran went on, uncharged and undisturbed.
            self.assertEqual(len(second.job.attempts), 1)
            self.assertEqual(len(task), 1)
            # And a new reader gets all of it.
            self.assertEqual(watch(cluster, job_id).read_all().out,
                             counted(lines, 50))


class DisconnectTest(unittest.TestCase):

    def test_A7_a_lost_client_cancels_its_job_after_ten_seconds(self):
        with Cluster(local_slots=4) as cluster:
            request = cluster.command(
                "/bin/sh", "-c", "echo started; exec sleep 600",
                inactivity=3600)
            lost = run_job(cluster, request)
            kept = run_job(cluster, request, CONTINUE)
            taken = run_job(cluster, request)
            taken_and_lost = run_job(cluster, request)
            watchers = (lost, kept, taken, taken_and_lost)
            for watcher in watchers:
                while not watcher.out:
                    watcher.read()
            start = time.time()
            for watcher in watchers:
                watcher.stream.cancel()
            overs = []
            for watcher in (taken, taken_and_lost):
                over = watch(cluster, watcher.job.job_id,
                             cursor=watcher.cursor, take_over=True)
                over.read()
                overs.append(over)
            # The stream that took over owns the job: it ends with it.
            overs[1].stream.cancel()
            # CANCEL: the job lives for ten seconds, and is gone thereafter.
            for watcher in (lost, taken_and_lost):
                job = cluster.finish(watcher.job.job_id)
                self.assertEqual(job.state, State.STATE_CANCELLED)
                self.assertEqual(job.failure.reason, Reason.REASON_CANCELLED)
                self.assertGreaterEqual(seconds(job.end_time), start + 10)
            # CONTINUE, and a stream that is still taken over: both run.
            for watcher in (kept, taken):
                job_id = watcher.job.job_id
                self.assertEqual(cluster.get(job_id).state,
                                 State.STATE_RUNNING)
                cluster.cancel(job_id)
            overs[0].read_all()
            self.assertEqual(overs[0].job.state, State.STATE_CANCELLED)
            self.assertEqual(taken.out + overs[0].out, b"started\n")


if __name__ == "__main__":
    unittest.main()

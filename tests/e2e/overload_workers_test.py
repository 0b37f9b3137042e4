"""Workers that do not take what they are given, and tasks that write more than
anybody wants: coordinator and worker stay small, and others go on.
"""
import os
import queue
import signal
import unittest

from cluster import PYTHON, TASKS, State, wait_until
from load_case import MIB, Inquirer, LoadedCluster, resident_mib
from vigil.v1 import dispatch_service_pb2, dispatch_service_pb2_grpc

# Jobs with large inputs, all given to one worker that is stopped.
INPUTS = 160
INPUT_BYTES = MIB
# What they may cost the coordinator, by its limits: the cache of programs
# (kPayloadCacheBytesMax), and what lies there for a worker that does not take
# it (kWorkerBacklogBytesMax);
CACHE_MIB = 64
BACKLOG_MIB = 16
# the commits under way and the store's cache, and an allocator that does not
# give everything back.
OTHER_MIB = 96
# Output of a task, and what is kept of it: 8 MiB from its start and from its
# end.
FLOOD_BYTES = 256 * MIB
KEPT_MIB = 16
# The log of the database before it is taken into it (kWalPagesMax).
LOG_MIB = 64


class WorkersTest(unittest.TestCase):

    def submit_inputs(self, cluster):
        """Jobs that tell the size of their input."""
        request = cluster.command("/usr/bin/wc", "-c", maximum_attempts=5)
        request.spec.input = b"x" * INPUT_BYTES
        return [cluster.submit(request) for _ in range(INPUTS)]

    def test_what_a_stopped_worker_does_not_take_is_bounded(self):
        with LoadedCluster() as cluster:
            stopped = cluster.add_slots(INPUTS)
            before = cluster.resident_mib()
            os.kill(stopped.pid, signal.SIGSTOP)
            with Inquirer(cluster) as inquirer:
                jobs = self.submit_inputs(cluster)
                # It has slots for all of them.
                wait_until(lambda: all(
                    cluster.get(job_id).attempts for job_id in jobs),
                           "all are assigned")
                # Another worker goes on meanwhile.
                cluster.add_slots(1)
                job, out, _ = cluster.run(cluster.command("/bin/echo", "on"))
                self.assertEqual((job.state, out),
                                 (State.STATE_SUCCEEDED, b"on\n"))
                grown = inquirer.peak_mib - before
                os.kill(stopped.pid, signal.SIGCONT)
                for job_id in jobs:
                    job = cluster.finish(job_id)
                    self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
                    self.assertEqual(job.attempts[-1].stdout_bytes,
                                     len(f"{INPUT_BYTES}\n"))
            print(f"{grown:.0f} MiB of at most "
                  f"{CACHE_MIB + BACKLOG_MIB + OTHER_MIB}")
            self.assertLess(grown, CACHE_MIB + BACKLOG_MIB + OTHER_MIB)

    def test_a_worker_that_reads_slowly_gets_all_it_was_given(self):
        with LoadedCluster() as cluster:
            messages = queue.SimpleQueue()
            messages.put(dispatch_service_pb2.AttachRequest(
                attach=dispatch_service_pb2.Attach(
                    protocol_min=1, protocol_max=1, worker_id="w" * 32,
                    session_id="s" * 32, boot_id="b", slots=64,
                    allow_commands=True)))
            stream = dispatch_service_pb2_grpc.DispatchServiceStub(
                cluster.channel).Attach(iter(messages.get, None))
            try:
                self.assertEqual(next(stream).attached.protocol_version, 1)
                request = cluster.command("/bin/cat")
                request.spec.input = b"x" * INPUT_BYTES
                jobs = [cluster.submit(request) for _ in range(64)]
                wait_until(lambda: all(
                    cluster.get(job_id).attempts for job_id in jobs),
                           "all are assigned")
                given = []
                # The coordinator does other things between two messages.
                for response in stream:
                    cluster.get_status()
                    for assignment in response.assignments:
                        self.assertEqual(len(assignment.spec.input),
                                         INPUT_BYTES)
                        given.append(assignment.attempt.job_id)
                    if len(given) == len(jobs):
                        break
                self.assertEqual(given, jobs)
            finally:
                stream.cancel()
                messages.put(None)
                for job_id in jobs:
                    cluster.cancel(job_id)

    def test_tasks_that_flood_fill_neither_memory_nor_disk(self):
        with LoadedCluster() as cluster:
            worker = cluster.add_slots(3)
            before = cluster.resident_mib()
            worker_before = resident_mib(worker.pid)
            worker_peak = 0
            with Inquirer(cluster) as inquirer:
                floods = [cluster.submit(cluster.command(
                    PYTHON, f"{TASKS}/flood.py", FLOOD_BYTES))
                          for _ in range(2)]
                while any(not cluster.get(job_id).HasField("end_time")
                          for job_id in floods):
                    # The third slot is for those that write little.
                    job, out, _ = cluster.run(
                        cluster.command("/bin/echo", "on"))
                    self.assertEqual((job.state, out),
                                     (State.STATE_SUCCEEDED, b"on\n"))
                    worker_peak = max(worker_peak, resident_mib(worker.pid))
            for job_id in floods:
                job = cluster.get(job_id)
                self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
                self.assertEqual(job.attempts[0].stdout_bytes, FLOOD_BYTES)
            disk = sum(path.stat().st_size for path in
                       cluster.data_dir.glob("jobs.db*")) / MIB
            print(f"coordinator {inquirer.peak_mib - before:.0f} MiB, worker "
                  f"{worker_peak - worker_before:.0f}, disk {disk:.0f}")
            # A mebibyte of each task is under way at a time, and a message.
            self.assertLess(worker_peak - worker_before, 32)
            self.assertLess(inquirer.peak_mib - before, OTHER_MIB)
            self.assertLess(disk, 2 * KEPT_MIB + LOG_MIB + 16)


if __name__ == "__main__":
    unittest.main()

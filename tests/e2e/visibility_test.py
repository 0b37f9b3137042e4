"""A8, A12 and C7: what runs, how far it is and why something ended can be seen
at any time, in the API and on the command line.
"""
import time
import unittest

from cluster import Cluster, Phase, Reason, State, wait_until
from google.protobuf import json_format
from vigil.v1 import (
    job_service_pb2, status_service_pb2, worker_pb2, worker_service_pb2)


class ProgressTest(unittest.TestCase):

    def progress_of(self, cluster, job_id):
        attempts = cluster.get(job_id).attempts
        progress = attempts[-1].progress if attempts else None
        return progress and (progress.done, progress.total)

    def test_A8_progress_is_visible_while_it_runs(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(cluster.talker(
                "out:calibrating 36 of 100", "out:calibrating 37 of 100", 600,
                progress=500))
            wait_until(lambda: self.progress_of(cluster, job_id) == (37, 100),
                       "GetJob shows the progress")
            job = cluster.get(job_id)
            self.assertEqual(job.state, State.STATE_RUNNING)
            self.assertEqual(job.attempts[0].progress.message,
                             "calibrating 37 of 100")
            shown = cluster.vigil("explain", job_id).stdout.decode()
            self.assertIn("progress 37 of 100", shown)
            shown = cluster.vigil("status").stdout.decode()
            self.assertRegex(shown, job_id + r" .* ACTIVE .* 37 +100 ")
            slot = cluster.get_status().workers[0].slots[0]
            self.assertEqual(slot.attempt.progress.done, 37)
            cluster.cancel(job_id)

    def test_A8_progress_is_streamed_to_watchers(self):
        steps = [step for i in range(1, 4)
                 for step in (f"out:{i} of 3", 1.5)]
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(cluster.talker(*steps, progress=500))
            seen = []
            for response in cluster.jobs.WatchJob(
                    job_service_pb2.WatchJobRequest(job_id=job_id)):
                job = response.event.job
                if job.attempts and job.attempts[-1].HasField("progress"):
                    seen.append((job.state, job.attempts[-1].progress.done))
            running = {done for state, done in seen
                       if state == State.STATE_RUNNING}
            self.assertTrue(running & {1, 2}, seen)
            self.assertEqual(seen[-1], (State.STATE_SUCCEEDED, 3))

    def test_A8_progress_is_read_by_a_pattern_of_the_request(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(cluster.talker(
                "out:7 of 9 is not meant", "out:epoch=5;epochs=8", 600,
                progress_pattern=r"epoch=(\d+);epochs=(\d+)"))
            wait_until(lambda: self.progress_of(cluster, job_id) == (5, 8),
                       "the pattern finds the progress")
            cluster.cancel(job_id)

    def test_A8_no_progress_is_guessed_unless_asked_for(self):
        with Cluster(local_slots=1) as cluster:
            job, _, _ = cluster.run(cluster.talker("out:37 of 100"))
            self.assertFalse(job.attempts[0].HasField("progress"))


class StatusTest(unittest.TestCase):

    def test_C7_status_shows_slots_phases_ages_and_tokens(self):
        with Cluster(local_slots=3) as cluster:
            silent = cluster.submit(cluster.command("/bin/sleep", 600))
            talking = cluster.submit(cluster.talker("600*0.1"))
            cluster.wait_phase(talking, Phase.PHASE_ACTIVE)
            wait_until(lambda: cluster.get(talking).attempts[0].tokens > 5,
                       "tokens are counted")
            wait_until(lambda: cluster.get(silent).HasField("start_time"),
                       "the silent one was started")
            status = cluster.get_status()
            self.assertEqual((status.slots_busy, status.slots_total), (2, 3))
            self.assertEqual(status.worker_count, 1)
            listed = cluster.worker_service.ListWorkers(
                worker_service_pb2.ListWorkersRequest()).workers
            got = cluster.worker_service.GetWorker(
                worker_service_pb2.GetWorkerRequest(
                    worker_id=listed[0].worker_id)).worker
            for worker in (status.workers[0], listed[0], got):
                self.check_worker(worker, silent, talking)
            states = {count.state: count.jobs for count in status.states}
            self.assertEqual(states[State.STATE_RUNNING], 2)
            shown = cluster.vigil("status").stdout.decode()
            self.assertRegex(shown, r"SLOTS BUSY: +2\n")
            self.assertRegex(shown, r"SLOTS: +3\n")
            for text in ("IDLE", "STARTING", "ACTIVE", "AGE", "LAST ACTIVITY",
                         "TOKENS", silent, talking):
                self.assertIn(text, shown)
            cluster.cancel(silent)
            cluster.cancel(talking)

    def check_worker(self, worker, silent, talking):
        self.assertEqual(worker.state, worker_pb2.Worker.STATE_CONNECTED)
        self.assertEqual(worker.slots_max, 3)
        self.assertTrue(worker.HasField("last_heartbeat_time"))
        slots = {slot.job_id: slot for slot in worker.slots}
        self.assertEqual(set(slots), {silent, talking, ""})
        self.assertEqual(slots[""].state, worker_pb2.Slot.STATE_IDLE)
        self.assertEqual(slots[silent].attempt.phase, Phase.PHASE_STARTING)
        self.assertEqual(slots[silent].attempt.tokens, 0)
        attempt = slots[talking].attempt
        self.assertEqual(attempt.phase, Phase.PHASE_ACTIVE)
        self.assertGreater(attempt.tokens, 0)
        self.assertGreater(attempt.stdout_bytes, 0)
        now = time.time_ns()
        start = attempt.start_time.ToNanoseconds()
        self.assertLess(start, attempt.last_activity_time.ToNanoseconds())
        self.assertLess(attempt.last_activity_time.ToNanoseconds(), now)
        self.assertGreater(attempt.longest_silence.ToNanoseconds(), 0)

    def test_C7_status_says_what_waits_and_what_for(self):
        with Cluster(local_slots=1) as cluster:
            running = cluster.submit(cluster.talker(600))
            waiting = cluster.submit(cluster.talker("out:later"))
            cluster.wait_phase(running, Phase.PHASE_STARTING)
            status = cluster.get_status()
            self.assertEqual((status.queues[0].queued,
                              status.queues[0].running), (1, 1))
            self.assertEqual(cluster.get(waiting).waiting_reason,
                             State.WAITING_REASON_SLOTS_BUSY)
            self.assertIn("SLOTS_BUSY", cluster.vigil("status").stdout.decode())
            shown = cluster.vigil("explain", waiting).stdout.decode()
            self.assertIn("waits: SLOTS_BUSY", shown)
            self.assertIn("1 of 1 slots are busy", shown)
            cluster.cancel(running)
            cluster.finish(waiting)

    def test_C7_status_answers_with_no_worker_at_all(self):
        with Cluster(local_slots=0) as cluster:
            job_id = cluster.submit(cluster.command("/bin/true"))
            self.assertEqual(cluster.get_status().worker_count, 0)
            self.assertRegex(cluster.vigil("status").stdout.decode(),
                             r"WORKERS: +0\n")
            self.assertIn("NO_WORKER_FOR_TASK_TYPE",
                          cluster.vigil("explain", job_id).stdout.decode())

    def test_C7_status_is_there_for_programs_too(self):
        with Cluster(local_slots=2) as cluster:
            shown = cluster.vigil("status", "-o", "json").stdout
            status = json_format.Parse(
                shown, status_service_pb2.GetStatusResponse())
            self.assertEqual(status.slots_total, 2)
            self.assertEqual(status.epoch, cluster.get_status().epoch)


class ReasonTest(unittest.TestCase):

    # What a job was asked to do, and what its end is called.
    CASES = (
        (("out:begun", 600), {"inactivity": 0.6},
         "INACTIVITY_TIMEOUT", "--inactivity"),
        ((600,), {"startup": 0.6}, "STARTUP_TIMEOUT", "--startup"),
        (("600*0.1",), {"start_to_close": 1}, "START_TO_CLOSE_TIMEOUT",
         "--start_to_close"),
        (("out:1 of 9", "600*0.1"), {"progress": 0.6}, "PROGRESS_TIMEOUT",
         "--progress"),
        (("err:the disk is on fire", "exit:3"), {}, "NONZERO_EXIT",
         "exit_reasons"),
        (("err:sorry", "exit:75"), {"maximum_attempts": 1}, "TASK_ERROR",
         "stderr"),
        (("exit:65",), {}, "INVALID_INPUT", "correct it"),
    )

    def assert_explained(self, cluster, job, reason, advice):
        self.assertEqual(Reason.Reason.Name(job.failure.reason),
                         f"REASON_{reason}")
        self.assertIn(advice, job.failure.advice)
        self.assertTrue(job.failure.message)
        shown = cluster.vigil("explain", job.job_id)
        self.assertEqual(shown.returncode, 0)
        text = shown.stdout.decode()
        self.assertIn(f"because: {reason}: {job.failure.message}", text)
        self.assertIn("advice: ", text)
        self.assertIn(advice, text)

    def test_A12_each_kind_of_failure_has_its_reason_and_advice(self):
        with Cluster() as cluster:
            ids = [cluster.submit(cluster.talker(
                *steps, shutdown_grace=0.1, **options))
                   for steps, options, _, _ in self.CASES]
            for job_id, (_, _, reason, advice) in zip(ids, self.CASES):
                with self.subTest(reason=reason):
                    job = cluster.finish(job_id)
                    self.assertEqual(job.state, State.STATE_FAILED)
                    self.assert_explained(cluster, job, reason, advice)

    def test_A12_cancel_spawn_failure_signal_and_queue_clock_differ(self):
        with Cluster(local_slots=1) as cluster:
            spawn = cluster.finish(cluster.submit(
                cluster.command("/no/such/program")))
            self.assert_explained(cluster, spawn, "SPAWN_FAILED", "path")
            signalled = cluster.finish(cluster.submit(
                cluster.command("/bin/sh", "-c", "kill -SEGV $$")))
            self.assert_explained(cluster, signalled, "SIGNALLED", "crash")
            self.assertEqual(signalled.exit.signal, 11)
            busy = cluster.submit(cluster.talker(600))
            late = cluster.finish(cluster.submit(
                cluster.command("/bin/true", schedule_to_start=0.5)))
            self.assert_explained(cluster, late, "SCHEDULE_TO_START_TIMEOUT",
                                  "slots")
            cluster.cancel(busy)
            cancelled = cluster.finish(busy)
            self.assertEqual(cancelled.state, State.STATE_CANCELLED)
            self.assert_explained(cluster, cancelled, "CANCELLED",
                                  "Submit it again")

    def test_A12_the_message_has_clock_silence_and_last_output(self):
        with Cluster(local_slots=1) as cluster:
            job, _, _ = cluster.run(cluster.talker(
                "out:loading layer 3", 600, inactivity=0.6,
                shutdown_grace=0.1))
            for text in ("silent for", "inactivity_timeout 600ms",
                         'last output "loading layer 3"'):
                self.assertIn(text, job.failure.message)
            self.assertEqual(job.attempts[0].evidence.last_output,
                             b"loading layer 3\n")


if __name__ == "__main__":
    unittest.main()

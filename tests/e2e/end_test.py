"""A6 and A7: a job that is timed out or cancelled, at any phase and by anyone,
is reported ended only when its whole process tree is dead and reaped.
"""
import os
import pathlib
import time
import unittest

import grpc
from cluster import (
    Cluster, FINAL, PYTHON, Phase, Reason, State, TASKS, refused, wait_until)
from vigil.v1 import job_service_pb2, job_service_pb2_grpc

SETTLED = b"settled\n"


class EndTest(unittest.TestCase):

    @staticmethod
    def family(cluster, *words, **options):
        """A request for tests/tasks/family.py, and the file of its pids."""
        pids = cluster.dir / f"pids{time.monotonic_ns()}"
        request = cluster.command(PYTHON, f"{TASKS}/family.py", pids, *words,
                                  max_processes=10, **options)
        return request, pids

    def assert_all_gone(self, pids: pathlib.Path):
        """Whether the whole family is dead and reaped, at this moment."""
        family = pids.read_text().split()
        self.assertEqual(len(family), 3)
        left = [pid for pid in family if os.path.exists(f"/proc/{pid}")]
        self.assertEqual(left, [])

    def last_job(self, cluster, request, pids, on_settled=lambda job_id: None):
        """Runs a family; checks it in the moment its end is reported."""
        job_id, seen = "", b""
        for response in cluster.jobs.RunJob(
                job_service_pb2.RunJobRequest(job=request)):
            event = response.event
            job_id = job_id or event.job.job_id
            seen += event.output.data
            if event.HasField("output") and seen == SETTLED:
                on_settled(job_id)
            if event.job.state in FINAL:
                self.assert_all_gone(pids)
                return event.job
        raise AssertionError("the stream ended without the job's end")

    def test_A6_tree_is_dead_before_a_timeout_is_reported(self):
        clocks = (({"inactivity": 0.6}, Reason.REASON_INACTIVITY_TIMEOUT),
                  ({"start_to_close": 4},
                   Reason.REASON_START_TO_CLOSE_TIMEOUT),
                  ({"schedule_to_close": 5},
                   Reason.REASON_SCHEDULE_TO_CLOSE_TIMEOUT))
        with Cluster(local_slots=1) as cluster:
            for clock, reason in clocks:
                with self.subTest(clock=clock):
                    request, pids = self.family(cluster, shutdown_grace=0.3,
                                                **clock)
                    job = self.last_job(cluster, request, pids)
                    self.assertEqual(job.failure.reason, reason)
                    evidence = job.attempts[0].evidence
                    self.assertTrue(evidence.killed)
                    self.assertFalse(evidence.death_unconfirmed)
                    self.assertGreaterEqual(evidence.leftover_processes_killed,
                                            2)
                    self.assertGreaterEqual(
                        evidence.time_to_confirmed_death.ToNanoseconds(), 3e8)

    def test_A6_tree_is_dead_before_a_cancel_is_reported(self):
        with Cluster(local_slots=1) as cluster:
            for grace in (0, 0.3):
                request, pids = self.family(cluster, shutdown_grace=grace)
                job = self.last_job(cluster, request, pids, cluster.cancel)
                self.assertEqual(job.state, State.STATE_CANCELLED)
                self.assertEqual(job.failure.reason, Reason.REASON_CANCELLED)

    def test_A6_what_a_program_leaves_behind_is_dead_before_its_success(self):
        with Cluster(local_slots=1) as cluster:
            request, pids = self.family(cluster, "exit")
            job = self.last_job(cluster, request, pids)
            self.assertEqual(job.state, State.STATE_SUCCEEDED)

    def test_A6_get_job_shows_the_end_only_after_the_tree_is_dead(self):
        with Cluster(local_slots=1) as cluster:
            request, pids = self.family(cluster, shutdown_grace=0.3,
                                        inactivity=0.6)
            job = cluster.finish(cluster.submit(request))
            self.assert_all_gone(pids)
            self.assertEqual(job.state, State.STATE_FAILED)

    def test_A6_the_slot_is_given_on_only_after_the_tree_is_dead(self):
        with Cluster(local_slots=1) as cluster:
            request, pids = self.family(cluster, shutdown_grace=0.3,
                                        inactivity=0.6)
            first = cluster.submit(request)
            # The next task looks for the first one's family as it starts.
            look = ("while read pid; do [ ! -e /proc/$pid ] || echo $pid; "
                    f"done < {pids}; echo looked")
            job, out, _ = cluster.run(cluster.command("/bin/sh", "-c", look))
            self.assertEqual((job.state, out),
                             (State.STATE_SUCCEEDED, b"looked\n"))
            self.assertGreaterEqual(
                job.attempts[0].start_time.ToNanoseconds(),
                cluster.finish(first).attempts[0].end_time.ToNanoseconds())

    # --- A7
    def cancel_from_elsewhere(self, cluster, job_id):
        """CancelJob over a connection of its own; returns the job's end."""
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(cluster.address, options) as channel:
            answer = job_service_pb2_grpc.JobServiceStub(channel).CancelJob(
                job_service_pb2.CancelJobRequest(job_id=job_id))
        self.assertTrue(answer.job.cancel_requested)
        return cluster.finish(job_id)

    def assert_cancelled(self, job, attempts):
        self.assertEqual(job.state, State.STATE_CANCELLED)
        self.assertEqual(job.failure.reason, Reason.REASON_CANCELLED)
        self.assertEqual(len(job.attempts), attempts)

    def test_A7_a_queued_job_is_cancelled_and_never_starts(self):
        with Cluster(local_slots=0) as cluster:
            job_id = cluster.submit(cluster.command("/bin/true"))
            job = self.cancel_from_elsewhere(cluster, job_id)
            self.assert_cancelled(job, 0)
            self.assertFalse(job.HasField("start_time"))

    def test_A7_a_starting_job_is_cancelled(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(cluster.command("/bin/sleep", 600))
            job = wait_until(
                lambda: cluster.get(job_id).HasField("start_time")
                and cluster.get(job_id), "its process runs")
            self.assertEqual(job.attempts[0].phase, Phase.PHASE_STARTING)
            self.assert_cancelled(
                self.cancel_from_elsewhere(cluster, job_id), 1)

    def test_A7_an_active_job_is_cancelled(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(cluster.talker("out:begun", 600))
            cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
            self.assert_cancelled(
                self.cancel_from_elsewhere(cluster, job_id), 1)

    def test_A7_a_stopping_job_is_cancelled_and_not_retried(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(cluster.talker(
                "ignore:TERM", "out:begun", 600, inactivity=0.6,
                shutdown_grace=2, maximum_attempts=3, initial_interval=0.001,
                retry_on=[Reason.REASON_INACTIVITY_TIMEOUT]))
            cluster.wait_phase(job_id, Phase.PHASE_STOPPING)
            job = self.cancel_from_elsewhere(cluster, job_id)
            self.assert_cancelled(job, 1)
            # Why its attempt ended is not forgotten.
            self.assertEqual(job.attempts[0].failure.reason,
                             Reason.REASON_INACTIVITY_TIMEOUT)

    def test_A7_a_job_in_backoff_is_cancelled(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(cluster.talker(
                "exit:1", initial_interval=600, maximum_interval=600,
                retry_on=[Reason.REASON_NONZERO_EXIT]))
            wait_until(
                lambda: cluster.get(job_id).state == State.STATE_BACKOFF,
                "it waits for its next attempt")
            self.assert_cancelled(
                self.cancel_from_elsewhere(cluster, job_id), 1)

    def test_A7_cancelling_again_or_too_late_changes_nothing(self):
        with Cluster(local_slots=1) as cluster:
            job_id = cluster.submit(cluster.command("/bin/true"))
            ended = cluster.finish(job_id)
            late = cluster.cancel(job_id)
            self.assertEqual(late.state, State.STATE_SUCCEEDED)
            self.assertEqual(late.revision, ended.revision)
            job_id = cluster.submit(cluster.talker("out:begun", 600))
            cluster.cancel(job_id)
            cluster.cancel(job_id)
            self.assertEqual(cluster.finish(job_id).state,
                             State.STATE_CANCELLED)
            error = refused(cluster.jobs.CancelJob,
                            job_service_pb2.CancelJobRequest(job_id="none"))
            self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)


if __name__ == "__main__":
    unittest.main()

"""A4: the cache of a warm-up outlives the worker that filled it, is cleared by
command, and a worker that dies in the middle of a warm-up, by Ctrl+C or kill
-9, leaves nothing that its next start does not mend by itself (row A3).
"""
import os
import signal
import unittest

import grpc
from cluster import PATIENCE, Phase, Reason, alive, refused, wait_until
from loss_case import LEASE
from vigil.v1 import worker_service_pb2
from warm_case import STARTED, raw_type, result, worker_of
from warm_up_case import LOOK, WarmUpCase, warmed


class ClearTest(WarmUpCase):

    types = (warmed("cached", "fill"), warmed("other", "fill"),
             raw_type("plain"))

    def clear(self, task_type, worker_id=""):
        """ClearWorkerCache on the one worker."""
        return worker_service_pb2.ClearWorkerCacheRequest(
            worker_id=worker_id or worker_of(self.cluster).worker_id,
            task_type=task_type)

    def run_cached(self, name="cached"):
        """Runs a job that sees a complete cache; returns its pid."""
        job, directory, _ = self.run_steps(name, *LOOK)
        self.assert_complete(job, directory)
        return self.pid_of(name, job.job_id)

    def test_A4_a_cache_is_cleared_by_rpc_and_by_command(self):
        pid = self.run_cached()
        begun = self.fills("cached")
        self.cluster.worker_service.ClearWorkerCache(self.clear("cached"))
        self.assertNotIn("complete", self.caches("cached"))
        # An idle process that used it went with it.
        wait_until(lambda: not alive(pid), "the warm process has ended")
        self.run_cached()
        self.assertEqual(self.fills("cached"), begun + 1)

        worker = worker_of(self.cluster).worker_id
        done = self.cluster.vigil("worker", "clear-cache", worker,
                                  "--task-type=cached")
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        self.run_cached()
        self.assertEqual(self.fills("cached"), begun + 2)

    def test_A4_to_clear_twice_is_to_clear_once(self):
        self.run_cached()
        for _ in range(2):
            self.cluster.worker_service.ClearWorkerCache(self.clear("cached"))
        self.run_cached()

    def test_A4_other_types_keep_theirs(self):
        self.run_cached("other")
        self.cluster.worker_service.ClearWorkerCache(self.clear("cached"))
        self.run_cached("other")
        self.assertEqual(self.fills("other"), 1)

    def test_A4_a_cache_in_use_is_not_cleared(self):
        go = self.flag()
        job_id = self.submit_steps("cached", STARTED, ["wait", str(go)],
                                   result())
        self.cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        error = refused(self.cluster.worker_service.ClearWorkerCache,
                        self.clear("cached"))
        self.assertEqual(error.code(), grpc.StatusCode.FAILED_PRECONDITION)
        self.assertEqual(self.caches("cached"), ["complete"])
        done = self.cluster.vigil(
            "worker", "clear-cache", worker_of(self.cluster).worker_id,
            "--task-type=cached")
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"runs on this worker", done.stderr)
        # What the proto advises.
        self.assertIn(b"try again when it is idle", done.stderr)
        go.touch()
        self.assert_succeeded(self.cluster.finish(job_id))

    def test_A4_what_is_not_there_is_named(self):
        error = refused(self.cluster.worker_service.ClearWorkerCache,
                        self.clear("nothing"))
        self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)
        self.assertIn("nothing", error.details())
        error = refused(self.cluster.worker_service.ClearWorkerCache,
                        self.clear("cached", "nobody"))
        self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)
        done = self.cluster.vigil(
            "worker", "clear-cache", worker_of(self.cluster).worker_id,
            "--task-type=nothing")
        self.assertEqual(done.returncode, 4)
        self.assertIn(b"nothing", done.stderr)

    def test_A4_a_type_without_a_warm_up_has_nothing_to_clear(self):
        self.cluster.worker_service.ClearWorkerCache(self.clear("plain"))


class RestartTest(WarmUpCase):

    types = (warmed("held", "wait"),)
    flags = LEASE

    @classmethod
    def setUpClass(cls):
        """Each test has a cluster of its own: it is restarted."""

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        super().setUpClass()
        self.addCleanup(super().tearDownClass)

    def start_warming(self):
        """Submits a job and returns its id when half of its cache is there."""
        job_id = self.submit_steps("held", *LOOK)
        self.wait_filling("held")
        self.cluster.wait_phase(job_id, Phase.PHASE_WARMING)
        self.assertEqual(self.caches("held"), ["partial"])
        return job_id

    def finish_warming(self, job_id):
        """The warm-up is begun anew, from nothing, and the job succeeds."""
        self.wait_filling("held", 2)
        self.go("held")
        job = self.cluster.finish(job_id)
        self.assert_complete(job, self.output(job_id))
        self.assertEqual([attempt.failure.reason for attempt in job.attempts],
                         [Reason.REASON_WORKER_LOST,
                          Reason.REASON_UNSPECIFIED])
        wait_until(lambda: self.caches("held") == ["complete"],
                   "what was half done is removed")

    def test_A3_kill_9_of_the_worker_in_the_middle_of_a_warm_up(self):
        job_id = self.start_warming()
        os.kill(self.cluster.local_worker_pid(), signal.SIGKILL)
        self.finish_warming(job_id)

    def test_A3_kill_9_of_everything_in_the_middle_of_a_warm_up(self):
        job_id = self.start_warming()
        self.cluster.kill()
        self.cluster.start()
        self.finish_warming(job_id)

    def test_A3_ctrl_c_in_the_middle_of_a_warm_up(self):
        job_id = self.start_warming()
        # As from a terminal: all of the foreground at once.
        os.killpg(self.cluster.coordinator.pid, signal.SIGINT)
        self.cluster.coordinator.wait(timeout=PATIENCE)
        self.cluster.start()
        self.finish_warming(job_id)

    def test_A4_a_cache_outlives_coordinator_and_worker(self):
        self.go("held")
        job, directory, _ = self.run_steps("held", *LOOK)
        self.assert_complete(job, directory)
        self.assertEqual(self.cluster.terminate(), 0)
        self.cluster.start()
        job, directory, _ = self.run_steps("held", *LOOK)
        self.assert_complete(job, directory)
        self.assertEqual(self.fills("held"), 1)


if __name__ == "__main__":
    unittest.main()

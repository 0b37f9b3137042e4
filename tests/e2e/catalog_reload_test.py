"""A catalog that is read again by SIGHUP while the worker runs: the new
definition is used afterwards, what runs is not touched, and a bad catalog is
refused as a whole, with file, line and field, so that the old one stays.
"""
import signal
import unittest

import grpc
from cluster import Cluster, Phase, State, alive, refused, wait_until
from vigil.v1 import catalog_pb2, worker_service_pb2
from warm_case import (
    STARTED, WarmTestCase, catalog_of, job_of, raw_type, result, worker_of)
from warm_up_case import LOOK, warm_up

SHOW = (STARTED, ["env", "VERSION"], result())


class ReloadTest(WarmTestCase):

    types = (raw_type("task", env={"VERSION": "1"}),)

    @classmethod
    def setUpClass(cls):
        """Each test has a cluster of its own: its catalog changes."""

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        super().setUpClass()
        self.addCleanup(super().tearDownClass)

    @property
    def path(self):
        return self.cluster.dir / "catalog.textproto"

    def reload(self, catalog, said):
        """Has a catalog read, until the log says so of it."""
        self.path.write_text(catalog)
        before = self.cluster.log().count(said)
        self.cluster.coordinator.send_signal(signal.SIGHUP)
        wait_until(lambda: self.cluster.log().count(said) > before,
                   f"the log says: {said}")

    def reload_good(self, *types):
        """Has a good catalog read and announced."""
        self.reload(catalog_of(*types), "read the catalog again")
        # An answer of the worker that follows the announcement on its stream.
        # Names alone do not show it: they may be those of before.
        worker = worker_of(self.cluster)
        self.cluster.worker_service.SweepWorker(
            worker_service_pb2.SweepWorkerRequest(
                worker_id=worker.worker_id, dry_run=True))
        self.assertEqual(worker_of(self.cluster).task_types,
                         sorted(one.name for one in types))

    def version(self):
        """The version that a new job sees, and the pid that shows it."""
        job, out, _ = self.run_steps("task", *SHOW)
        self.assert_succeeded(job)
        return out, self.pid_of("task", job.job_id)

    def test_A10_a_new_definition_is_used_afterwards(self):
        out, pid = self.version()
        self.assertEqual(out, b"1")
        self.reload_good(raw_type("task", env={"VERSION": "2"}))
        # The idle process of the old definition is of no use any more.
        wait_until(lambda: not alive(pid), "the old process has ended")
        self.assertEqual(self.version()[0], b"2")

    def test_A10_what_did_not_change_keeps_its_process(self):
        _, pid = self.version()
        self.reload_good(*self.types, raw_type("another"))
        self.assertEqual(self.version(), (b"1", pid))
        job, _, _ = self.run_steps("another", STARTED, result())
        self.assert_succeeded(job)

    def test_A10_a_job_that_runs_ends_by_the_definition_it_began_with(self):
        go = self.flag()
        job_id = self.submit_steps("task", STARTED, ["wait", str(go)],
                                   ["env", "VERSION"], result("old"))
        self.cluster.wait_phase(job_id, Phase.PHASE_ACTIVE)
        self.reload_good(raw_type("task", env={"VERSION": "2"}))
        # Both definitions run at the same time, in different slots.
        self.assertEqual(self.version()[0], b"2")
        self.assertEqual(self.cluster.get(job_id).state, State.STATE_RUNNING)
        go.touch()
        job = self.cluster.finish(job_id)
        self.assert_succeeded(job, b"old")
        self.assertEqual(len(job.attempts), 1)
        pid = self.pid_of("task", job_id)
        wait_until(lambda: not alive(pid), "its process is used no more")

    def test_A10_a_type_that_is_gone_is_offered_no_more(self):
        _, pid = self.version()
        self.reload_good(raw_type("another"))
        wait_until(lambda: not alive(pid), "its process has ended")
        job_id = self.submit_steps("task", STARTED, result())
        waiting = self.cluster.get(job_id)
        self.assertEqual(waiting.state, State.STATE_QUEUED)
        # Until it is back.
        self.reload_good(*self.types)
        self.assert_succeeded(self.cluster.finish(job_id))

    def test_A10_new_timeouts_are_those_of_new_jobs(self):
        self.reload_good(raw_type("task", timeouts={
            "inactivity_timeout": {"seconds": 123}}))

        def resolved():
            job_id = self.submit_steps("task", STARTED, result())
            timeouts = self.cluster.finish(job_id).spec.timeouts
            return timeouts.inactivity_timeout.seconds
        self.assertEqual(resolved(), 123)

    def test_A10_a_type_may_become_a_command_and_warm_again(self):
        self.version()
        command = catalog_pb2.TaskType(name="task", argv=["/bin/cat"])
        self.reload_good(command)
        job, out, _ = self.cluster.run(job_of("task", b"stdin"))
        self.assertEqual((job.state, out), (State.STATE_SUCCEEDED, b"stdin"))
        self.assertFalse(job.HasField("result"))
        self.reload_good(*self.types)
        self.assertEqual(self.version()[0], b"1")

    def test_A4_another_warm_up_is_done_anew(self):
        def type_with(mode):
            return raw_type("task", warm_up=warm_up("task", mode))

        def fills():
            return (self.cluster.dir / "task.up").read_text().count("fill")
        for mode, count in (("fill", 1), ("fill", 1), ("talk", 2)):
            self.reload_good(type_with(mode))
            job, _, _ = self.run_steps("task", *LOOK)
            self.assert_succeeded(job)
            self.assertEqual(fills(), count)

    def test_A10_a_bad_catalog_is_refused_whole_and_the_old_one_stays(self):
        _, pid = self.version()
        good = raw_type("another")
        bad = raw_type("task", max_jobs=-1)
        text = catalog_of(good, bad)
        line = 1 + next(number for number, text_line in
                        enumerate(text.splitlines())
                        if "max_jobs" in text_line)
        self.reload(text, "the one in use stays")
        log = self.cluster.log()
        self.assertIn(f"{self.path}:{line}: ", log)
        self.assertIn('task_types[1].max_jobs (\\"task\\")', log)
        # Not even the good half of it is taken.
        self.assertEqual(list(worker_of(self.cluster).task_types), ["task"])
        self.assertEqual(self.version(), (b"1", pid))
        error = refused(self.cluster.jobs.SubmitJob,
                        job_of("another", [STARTED]))
        self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)

    def test_A10_a_catalog_that_does_not_parse_or_is_gone(self):
        _, pid = self.version()
        self.reload("task_types {\n  name: 7\n}\n", "the one in use stays")
        self.assertIn(f"{self.path}:2:", self.cluster.log())
        self.path.unlink()
        before = self.cluster.log().count("the one in use stays")
        self.cluster.coordinator.send_signal(signal.SIGHUP)
        wait_until(lambda: self.cluster.log().count(
            "the one in use stays") > before, "the log says so")
        self.assertEqual(self.version(), (b"1", pid))


class ExternalWorkerTest(unittest.TestCase):

    def test_A10_a_worker_of_its_own_is_told_by_itself(self):
        with Cluster(local_slots=0) as cluster:
            path = cluster.dir / "own.textproto"
            path.write_text(catalog_of(raw_type("old")))
            worker = cluster.start_worker("w", flags=[f"--catalog={path}"])

            def offers():
                return [name for worker in cluster.get_status().workers
                        for name in worker.task_types]
            wait_until(lambda: offers() == ["old"], "it offers the old type")
            path.write_text(catalog_of(raw_type("new")))
            # A coordinator without a local worker has nobody to tell.
            cluster.coordinator.send_signal(signal.SIGHUP)
            wait_until(lambda: "no local worker" in cluster.log(),
                       "the coordinator says so")
            self.assertEqual(offers(), ["old"])
            worker.send_signal(signal.SIGHUP)
            wait_until(lambda: offers() == ["new"], "it offers the new type")
            job, _, _ = cluster.run(job_of("new", [STARTED, result()]))
            self.assertEqual(job.state, State.STATE_SUCCEEDED, job)


if __name__ == "__main__":
    unittest.main()

"""What a job may have beside its process, and how busy a worker's host is, as
the API and the command line show them: policies are resolved and stored, bad
ones are refused by name, and every worker tells of its host.
"""
import os
import unittest

import grpc
from cluster import Cluster, PYTHON, State, refused, wait_until
from vigil.v1 import job_pb2, job_service_pb2, worker_service_pb2

Spec = job_pb2.JobSpec
INVALID = grpc.StatusCode.INVALID_ARGUMENT

CATALOG = f"""
task_types {{
  name: "command"
  argv: "/bin/true"
  on_nested_pool: ON_NESTED_POOL_AUDIT
  max_threads: 7
  max_rss_bytes: 1073741824
}}
task_types {{
  name: "warm"
  argv: "{PYTHON}"
  frames: FRAMES_JSON
  on_nested_pool: ON_NESTED_POOL_DENY
}}
"""


class PolicySurfaceTest(unittest.TestCase):

    def setUp(self):
        self.cluster = Cluster(local_slots=1, catalog=CATALOG)
        self.cluster.__enter__()
        self.addCleanup(self.cluster.stop)

    def spec_of(self, request):
        """What is in force for a job, as GetJob shows it."""
        return self.cluster.get(self.cluster.submit(request)).spec

    def typed(self, task_type, **options):
        request = job_service_pb2.SubmitJobRequest()
        request.spec.task_type = task_type
        return self.cluster.apply(request, **options)

    def assert_refused(self, request, *texts):
        error = refused(self.cluster.jobs.SubmitJob, request)
        self.assertEqual(error.code(), INVALID, error.details())
        for text in texts:
            self.assertIn(text, error.details())

    # --- specifications
    def test_C2_what_is_in_force_is_shown_with_the_job(self):
        spec = self.spec_of(self.cluster.command("/bin/true"))
        self.assertEqual(spec.on_nested_pool, Spec.ON_NESTED_POOL_FAIL)
        self.assertEqual((spec.max_processes, spec.max_threads,
                          spec.max_rss_bytes, spec.stack_dump_signal),
                         (1, 256, 0, 0))
        spec = self.spec_of(self.cluster.command(
            "/bin/true", on_nested_pool=Spec.ON_NESTED_POOL_DENY,
            max_threads=100000, max_rss_bytes=1 << 20, stack_dump_signal=31))
        self.assertEqual(spec.on_nested_pool, Spec.ON_NESTED_POOL_DENY)
        self.assertEqual((spec.max_processes, spec.max_threads,
                          spec.max_rss_bytes, spec.stack_dump_signal),
                         (0, 100000, 1 << 20, 31))

    def test_C2_a_task_types_policy_holds_unless_the_job_says_otherwise(self):
        spec = self.spec_of(self.typed("command"))
        self.assertEqual(spec.on_nested_pool, Spec.ON_NESTED_POOL_AUDIT)
        self.assertEqual((spec.max_threads, spec.max_rss_bytes), (7, 1 << 30))
        spec = self.spec_of(self.typed(
            "command", on_nested_pool=Spec.ON_NESTED_POOL_SEQUENTIAL,
            max_threads=8, max_rss_bytes=2 << 30))
        self.assertEqual(spec.on_nested_pool, Spec.ON_NESTED_POOL_SEQUENTIAL)
        self.assertEqual((spec.max_threads, spec.max_rss_bytes), (8, 2 << 30))

    def test_C2_bad_policies_are_refused_by_name(self):
        for field, values, text in (
                ("on_nested_pool", (-1, 6), "0 (the default) to 5"),
                ("max_processes", (-1, 10001), "0 to 10000"),
                ("max_threads", (-1, 0, 100001), "1 to 100000"),
                ("max_rss_bytes", (-1, 1, (1 << 20) - 1), "1048576"),
                ("stack_dump_signal", (-1, 9, 19, 32), "SIGUSR1")):
            for value in values:
                self.assert_refused(
                    self.cluster.command("/bin/true", **{field: value}),
                    f"spec.{field} is {value}", text)
        self.assert_refused(
            self.cluster.command(
                "/bin/true", maximum_attempts=1,
                on_nested_pool=Spec.ON_NESTED_POOL_RETRY_SEQUENTIAL),
            "spec.on_nested_pool", "allow two attempts")
        self.assertEqual(self.cluster.list_jobs(), [])

    def test_C2_a_warm_tasks_policy_is_its_catalogs(self):
        for field, value in (("on_nested_pool", Spec.ON_NESTED_POOL_FAIL),
                             ("max_processes", 1), ("max_threads", 1)):
            self.assert_refused(
                self.typed("warm", **{field: value}), f"spec.{field}",
                "serves many jobs", "set it in the catalog")
        spec = self.spec_of(self.typed("warm", max_rss_bytes=1 << 20,
                                       stack_dump_signal=10))
        self.assertEqual(spec.on_nested_pool, Spec.ON_NESTED_POOL_DENY)
        self.assertEqual((spec.max_processes, spec.max_threads,
                          spec.max_rss_bytes, spec.stack_dump_signal),
                         (0, 256, 1 << 20, 10))

    # --- the command line
    def run_spec(self, *flags):
        """The specification of a job that `vigil run` made with these flags."""
        before = {job.job_id for job in self.cluster.list_jobs()}
        ended = self.cluster.vigil("run", *flags, "--", "/bin/true")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        made = [job for job in self.cluster.list_jobs()
                if job.job_id not in before]
        self.assertEqual(len(made), 1)
        return made[0].spec

    def test_C2_flags_set_the_policies(self):
        spec = self.run_spec("--on-nested-pool=Sequential", "--max_threads=9",
                             "--max_rss=512M", "--stack_dump_signal=SIGUSR1")
        self.assertEqual(spec.on_nested_pool, Spec.ON_NESTED_POOL_SEQUENTIAL)
        self.assertEqual((spec.max_threads, spec.max_rss_bytes,
                          spec.stack_dump_signal), (9, 512 << 20, 10))
        self.assertEqual(spec.retry.maximum_attempts, 1)
        spec = self.run_spec("--on_nested_pool=retry_sequential")
        self.assertEqual(spec.retry.maximum_attempts, 2)

    def test_C2_bad_flags_are_refused_by_name(self):
        for flag, text in (
                ("--on_nested_pool=sequental", b"did you mean sequential?"),
                ("--max_threads=0", b"from 1 to 100000"),
                ("--max_rss=much", b"512M"),
                ("--max_rss=1K", b"spec.max_rss_bytes is 1024"),
                ("--stack_dump_signal=USR3", b"did you mean USR"),
                ("--stack_dump_signal=KILL", b"spec.stack_dump_signal is 9")):
            ended = self.cluster.vigil("run", flag, "--", "/bin/true")
            self.assertEqual(ended.returncode, 125, flag)
            self.assertIn(text, ended.stderr)
        self.assertEqual(self.cluster.list_jobs(), [])

    def test_C2_explain_shows_what_a_job_may_have(self):
        job_id = self.cluster.submit(self.cluster.command(
            "/bin/true", max_rss_bytes=512 << 20))
        self.assertEqual(self.cluster.finish(job_id).state,
                         State.STATE_SUCCEEDED)
        shown = self.cluster.vigil("explain", job_id).stdout.decode()
        self.assertIn("limits: 1 process beside its own, FAIL at one more; 256 "
                      "threads; 512.0 MiB of memory\n", shown)

    # --- hosts
    def test_B9_every_worker_tells_of_its_host(self):
        def hosts():
            workers = self.cluster.worker_service.ListWorkers(
                worker_service_pb2.ListWorkersRequest()).workers
            told = all(worker.HasField("host") for worker in workers)
            return [worker.host for worker in workers] if told else None
        host, = wait_until(hosts, "the worker has told of its host")
        self.assertEqual(host.cpus, len(os.sched_getaffinity(0)))
        self.assertGreater(host.threads, 0)
        self.assertGreater(host.processes, 2)
        self.assertGreater(host.memory_total_bytes,
                           host.memory_available_bytes)
        self.assertGreater(host.memory_available_bytes, 0)
        self.assertEqual(
            any("threads" in stress for stress in host.stress),
            host.threads > 1000)
        worker, = self.cluster.get_status().workers
        self.assertEqual(worker.memory_available_bytes,
                         worker.host.memory_available_bytes)
        shown = self.cluster.vigil(
            "worker", "list", "-o", "wide").stdout.decode()
        for header in ("LOAD", "CPUS", "MEMORY FREE", "THREADS", "PROCESSES"):
            self.assertIn(header, shown)

    def test_S7_nothing_is_stuck_and_no_death_unproved_on_a_sound_host(self):
        status = self.cluster.get_status()
        self.assertEqual(status.deaths_unconfirmed, 0)
        self.assertEqual(status.nested_calls, 0)
        self.assertEqual(status.sequential_pools, 0)
        self.assertEqual([slot.index for slot in status.workers[0].slots], [0])


if __name__ == "__main__":
    unittest.main()

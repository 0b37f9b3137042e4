"""A1 and A2: work runs outside its callers. Neither a task that floods nor a
watcher that does not read holds up anybody else, and what a task starts with
depends on its request alone, not on what the processes above it have.
"""
import concurrent.futures
import os
import pathlib
import signal
import time
import unittest
from unittest import mock

import grpc
from cluster import Cluster, PYTHON, Reason, State, TASKS, wait_until
from vigil.v1 import job_service_pb2, job_service_pb2_grpc

# By these, libraries are told the slot's share of the processors.
THREADS = (
    "BLIS_NUM_THREADS", "GOMAXPROCS", "LOKY_MAX_CPU_COUNT", "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS", "NUMEXPR_NUM_THREADS", "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

# Nobody waits this long for an answer, even on a slow machine, unless the loop
# is held up; seconds.
ANSWER_MAX = 10.0


def memory_kib(pid):
    """Resident memory of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


class IsolationTest(unittest.TestCase):

    def assert_responsive(self, cluster):
        """Others are answered, and their jobs run, within ANSWER_MAX each."""
        for _ in range(10):
            start = time.monotonic()
            cluster.get_status()
            job, out, _ = cluster.run(cluster.command("/bin/echo", "other"))
            self.assertEqual((job.state, out),
                             (State.STATE_SUCCEEDED, b"other\n"))
            self.assertLess(time.monotonic() - start, ANSWER_MAX)

    def test_A1_a_lossless_watcher_that_does_not_read_blocks_only_its_task(
            self):
        with Cluster() as cluster:
            flood = cluster.jobs.RunJob(job_service_pb2.RunJobRequest(
                job=cluster.command("/usr/bin/yes", inactivity=1)))
            job_id = next(flood).event.job.job_id
            sizes = []

            def stands_still():
                # 100 polls are 2 s: its bytes are reported once a second.
                attempts = cluster.get(job_id).attempts
                sizes.append(attempts[-1].stdout_bytes if attempts else 0)
                return len(sizes) > 100 and sizes[-1] == sizes[-100] > 0
            self.assert_responsive(cluster)
            wait_until(stands_still, "the flooding task is held back")
            self.assert_responsive(cluster)
            # It is held back for longer than inactivity_timeout by now, which
            # is not its silence.
            self.assertEqual(cluster.get(job_id).state, State.STATE_RUNNING)
            self.assertLess(memory_kib(cluster.coordinator.pid), 512 << 10)
            cluster.cancel(job_id)
            self.assertEqual(cluster.finish(job_id).state,
                             State.STATE_CANCELLED)
            flood.cancel()

    def test_A1_a_live_watcher_that_does_not_read_blocks_nobody(self):
        with Cluster() as cluster:
            job_id = cluster.submit(cluster.command(
                "/usr/bin/head", "-c", 64 << 20, "/dev/zero"))
            watch = cluster.jobs.WatchJob(
                job_service_pb2.WatchJobRequest(job_id=job_id))
            self.assert_responsive(cluster)
            job = cluster.finish(job_id)
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            self.assertEqual(job.attempts[0].stdout_bytes, 64 << 20)
            # It reads at last: what it gets and what it is told it lost make
            # the whole.
            position = 0
            for response in watch:
                event = response.event
                if event.HasField("output"):
                    self.assertEqual(event.output.offset, position)
                    position += len(event.output.data)
                elif event.HasField("gap"):
                    self.assertEqual(event.gap.offset, position)
                    position += event.gap.size_bytes
            self.assertEqual(position, 64 << 20)

    def test_A1_a_silent_job_blocks_nobody(self):
        with Cluster() as cluster:
            job_id = cluster.submit(cluster.talker(600))
            self.assert_responsive(cluster)
            self.assertEqual(cluster.get(job_id).state, State.STATE_RUNNING)
            cluster.cancel(job_id)

    def test_A2_many_threads_start_tasks_at_once(self):
        def client(cluster, number):
            options = [("grpc.use_local_subchannel_pool", 1)]
            with grpc.insecure_channel(cluster.address, options) as channel:
                jobs = job_service_pb2_grpc.JobServiceStub(channel)
                for turn in range(3):
                    text = f"{number}.{turn}"
                    out = b""
                    for response in jobs.RunJob(job_service_pb2.RunJobRequest(
                            job=cluster.command("/bin/echo", text))):
                        out += response.event.output.data
                    self.assertEqual(out.decode(), f"{text}\n")
            ended = cluster.vigil("run", "--", "/bin/echo", number)
            self.assertEqual((ended.returncode, ended.stdout.decode()),
                             (0, f"{number}\n"))

        with Cluster() as cluster, \
                concurrent.futures.ThreadPoolExecutor(24) as threads:
            for done in [threads.submit(client, cluster, i)
                         for i in range(24)]:
                done.result()
            self.assertEqual(
                {job.state for job in cluster.list_jobs()},
                {State.STATE_SUCCEEDED})
            self.assertEqual(len(cluster.list_jobs()), 24 * 4)

    def environment(self, cluster, **env):
        """What a task of tests/tasks/echo_environment.py sees."""
        request = cluster.command(PYTHON, f"{TASKS}/echo_environment.py",
                                  env={"PYTHONCOERCECLOCALE": "0", **env})
        job, out, _ = cluster.run(request)
        self.assertEqual(job.state, State.STATE_SUCCEEDED)
        seen = dict(line.split("=", 1) for line in out.decode().splitlines())
        self.assertEqual(seen.pop("PYTHONCOERCECLOCALE"), "0")
        self.assertEqual(seen.pop("CLUSTER"), str(cluster.dir))
        return job, seen

    def test_A2_a_task_gets_its_requests_environment_and_nothing_else(self):
        with mock.patch.dict(os.environ, {"SECRET_ABOVE": "1",
                                          "LD_LIBRARY_PATH": "/above",
                                          "HOME": "/above"}):
            with Cluster() as cluster:
                job, seen = self.environment(cluster, GIVEN="a=b")
        worker = job.attempts[0].worker_id
        directory = seen.pop("cwd")
        self.assertTrue(directory.startswith(f"{cluster.dir}/"), directory)
        share = str(max(1, len(os.sched_getaffinity(0)) // cluster.slots))
        self.assertEqual(seen, {
            **dict.fromkeys(THREADS, share),
            "GIVEN": "a=b",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONUNBUFFERED": "1",
            "VIGIL_ATTEMPT": "1",
            "VIGIL_FENCE": "1",
            "VIGIL_JOB_ID": job.job_id,
            "VIGIL_TASK": f"job={job.job_id};attempt=1",
            "VIGIL_WORKER_ID": worker,
        })

    def test_A2_a_request_may_set_path_and_buffering(self):
        with Cluster() as cluster:
            _, seen = self.environment(cluster, PATH="/nowhere",
                                       PYTHONUNBUFFERED="")
            self.assertEqual(seen["PATH"], "/nowhere")
            self.assertEqual(seen["PYTHONUNBUFFERED"], "")

    def test_A2_a_request_may_not_set_vigils_own_names(self):
        with Cluster() as cluster:
            job, _, _ = cluster.run(cluster.command("/bin/true"))
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            with self.assertRaises(grpc.RpcError) as raised:
                cluster.submit(cluster.command(
                    "/bin/true", env={"VIGIL_FENCE": "7"}))
            self.assertEqual(raised.exception.code(),
                             grpc.StatusCode.INVALID_ARGUMENT)
            self.assertIn("VIGIL_FENCE", raised.exception.details())

    def test_A2_a_task_starts_with_default_signals_and_three_descriptors(
            self):
        # Inherited by the coordinator; what is above a task must not show.
        ignored = (signal.SIGUSR1, signal.SIGHUP, signal.SIGPIPE)
        before = {number: signal.signal(number, signal.SIG_IGN)
                  for number in ignored}
        try:
            with Cluster() as cluster:
                _, out, _ = cluster.run(cluster.command(
                    "/bin/grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"))
                self.assertEqual(
                    [int(line.split()[1], 16) for line in out.splitlines()],
                    [0, 0])
                # The fourth is the directory that ls itself reads.
                _, out, _ = cluster.run(cluster.command(
                    "/bin/ls", "/proc/self/fd"))
                self.assertEqual(out.split(), [b"0", b"1", b"2", b"3"])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def test_A2_a_task_type_gets_its_catalogs_environment_and_nothing_else(
            self):
        catalog = """task_types {
            name: "env" argv: "/usr/bin/env" env { key: "OWN" value: "1" } }
        """
        with mock.patch.dict(os.environ, {"SECRET_ABOVE": "1"}):
            with Cluster(catalog=catalog) as cluster:
                request = job_service_pb2.SubmitJobRequest()
                request.spec.task_type = "env"
                job, out, _ = cluster.run(request)
        self.assertEqual(job.state, State.STATE_SUCCEEDED)
        self.assertEqual(job.failure.reason, Reason.REASON_UNSPECIFIED)
        names = {line.split("=")[0] for line in out.decode().splitlines()}
        self.assertEqual(names, {
            *THREADS, "OWN", "PATH", "PYTHONUNBUFFERED", "VIGIL_ATTEMPT",
            "VIGIL_FENCE", "VIGIL_JOB_ID", "VIGIL_TASK", "VIGIL_WORKER_ID"})

    def test_B1_the_share_of_a_slot_is_that_of_the_slots_there_are(self):
        processors = len(os.sched_getaffinity(0))
        with Cluster(local_slots=1) as cluster:
            request = cluster.command("/usr/bin/printenv", "OMP_NUM_THREADS")
            _, out, _ = cluster.run(request)
            self.assertEqual(int(out), processors)
            cluster.set_slots(cluster.get_status().workers[0].worker_id,
                              processors)
            wait_until(lambda: cluster.run(request)[1] == b"1\n",
                       "the share is one processor")
            _, out, _ = cluster.run(cluster.command(
                "/usr/bin/printenv", "OMP_NUM_THREADS",
                env={"OMP_NUM_THREADS": "7"}))
            self.assertEqual(int(out), 7)

    def test_C2_a_sequential_task_finds_vigils_own_python(self):
        with Cluster() as cluster:
            _, seen = self.environment(cluster, PYTHONPATH="/own",
                                       LOKY_MAX_CPU_COUNT="8")
            self.assertEqual(seen["PYTHONPATH"], "/own")
            self.assertEqual(seen["LOKY_MAX_CPU_COUNT"], "8")
            request = cluster.command(
                "/usr/bin/env", env={"PYTHONPATH": "/own",
                                     "LOKY_MAX_CPU_COUNT": "8"})
            request.spec.on_nested_pool = (
                request.spec.ON_NESTED_POOL_SEQUENTIAL)
            request.spec.stack_dump_signal = signal.SIGUSR1
            _, out, _ = cluster.run(request)
            seen = dict(line.split("=", 1)
                        for line in out.decode().splitlines())
            ours, own = seen["PYTHONPATH"].split(":")
            self.assertEqual(own, "/own")
            self.assertTrue(pathlib.Path(ours, "sitecustomize.py").is_file())
            self.assertEqual(seen["LOKY_MAX_CPU_COUNT"], "1")
            self.assertEqual(seen["JOBLIB_MULTIPROCESSING"], "0")
            self.assertEqual(seen["VIGIL_SEQUENTIAL"], "1")
            self.assertEqual(seen["VIGIL_STACK_DUMP_SIGNAL"],
                             str(int(signal.SIGUSR1)))


if __name__ == "__main__":
    unittest.main()

"""C2: pools in warm tasks. The policy is the task type's, in the catalog, and
holds for the process through all its jobs; what happens is counted for the job
in which it happened. After a job that ended NESTED_POOL the next one runs.
"""
import os
import unittest

from cluster import PYTHON, State, alive
from nesting_case import Failure, Outcome, Spec
from warm_case import JSON, WarmTestCase, duration
from vigil.v1 import catalog_pb2, job_service_pb2

# Takes songs, `pool` for a pool of two, `fork` for a bare fork; the rest alone.
PROGRAM = """
import os
from concurrent.futures import ProcessPoolExecutor
import vigil_task

def square(number):
    return number * number

def work(job):
    for word in job.text.split():
        if word == "pool":
            with ProcessPoolExecutor(2) as pool:
                job.token(f"{list(pool.map(square, range(4)))} ")
        elif word == "fork":
            try:
                if os.fork() == 0:
                    os._exit(0)
                os.wait()
                job.token("forked ")
            except OSError as error:
                job.token(f"{error.strerror} ")
        elif word == "fail":
            raise ValueError("no such song")
    return str(os.getpid())

vigil_task.serve(work)
"""


def pooling_type(name, **fields):
    """A type whose jobs open pools."""
    return catalog_pb2.TaskType(
        # The last argument marks its processes as the cluster's.
        name=name, argv=[PYTHON, "-c", PROGRAM, "{catalog_dir}/s"],
        frames=JSON, timeouts={"shutdown_grace": duration(0.5)},
        env={"PYTHONPATH": os.path.abspath("client/python")}, **fields)


class WarmNestingTest(WarmTestCase):

    slots = 1
    types = (
        pooling_type("fails"),
        pooling_type("denies", on_nested_pool=Spec.ON_NESTED_POOL_DENY),
        pooling_type("sequences",
                     on_nested_pool=Spec.ON_NESTED_POOL_SEQUENTIAL),
        pooling_type("allows", max_processes=4),
    )

    def run_words(self, task_type, words):
        """Runs a job; returns it, its attempt and its tokens."""
        request = job_service_pb2.SubmitJobRequest()
        request.spec.task_type = task_type
        request.spec.input = words.encode()
        job, out, _ = self.cluster.run(request)
        return job, job.attempts[-1], out

    def pid(self, job):
        """The process that ran a job, which succeeded."""
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        return int(job.result)

    def test_C2_fail_ends_the_attempt_and_the_next_job_runs(self):
        before, _, _ = self.run_words("fails", "")
        job, attempt, _ = self.run_words("fails", "pool")
        self.assert_failed(job, Failure.REASON_NESTED_POOL,
                           "python3 wanted another process (clone) while 1 "
                           "lived beside the task's own (max_processes 1)")
        self.assertEqual(len(job.attempts), 1)
        self.assertEqual(attempt.evidence.process_count, 2)
        self.assertFalse(alive(self.pid(before)))
        after, attempt, _ = self.run_words("fails", "fork")
        self.assertNotEqual(self.pid(after), self.pid(before))
        self.assertEqual(list(attempt.nested_calls), [])

    def test_C2_deny_leaves_the_process_and_counts_per_job(self):
        first, attempt, out = self.run_words("denies", "fork fork")
        self.assertEqual(out, b"Operation not permitted " * 2)
        self.assertEqual([(call.count, call.outcome) for call in
                          attempt.nested_calls], [(2, Outcome.OUTCOME_REFUSED)])
        second, attempt, _ = self.run_words("denies", "")
        self.assertEqual(self.pid(second), self.pid(first))
        self.assertEqual(list(attempt.nested_calls), [])
        third, attempt, _ = self.run_words("denies", "fork")
        self.assertEqual(self.pid(third), self.pid(first))
        self.assertEqual([call.count for call in attempt.nested_calls], [1])

    def test_C2_a_failure_after_a_denial_is_a_nested_pool(self):
        job, _, _ = self.run_words("denies", "fork fail")
        self.assert_failed(job, Failure.REASON_NESTED_POOL,
                           "python3 was refused 1 process (clone; "
                           "max_processes 0)")
        self.assertIn("no such song", job.failure.message)
        # Its own words, if nothing was refused in this job.
        job, _, _ = self.run_words("denies", "fail")
        self.assert_failed(job, Failure.REASON_TASK_ERROR, "no such song")

    def test_C2_sequential_counts_each_jobs_own_pools(self):
        before = self.cluster.get_status().sequential_pools
        pids = set()
        for count in 2, 0, 1:
            job, attempt, out = self.run_words(
                "sequences", " ".join(["pool"] * count))
            pids.add(self.pid(job))
            self.assertEqual(out, b"[0, 1, 4, 9] " * count)
            self.assertEqual(
                [(call.call, call.count, call.outcome)
                 for call in attempt.nested_calls],
                [("ProcessPoolExecutor", count,
                  Outcome.OUTCOME_SEQUENTIAL)] if count else [])
        self.assertEqual(len(pids), 1)
        self.assertEqual(self.cluster.get_status().sequential_pools,
                         before + 3)

    def test_C2_a_pool_that_the_catalog_allows_works(self):
        job, attempt, out = self.run_words("allows", "pool pool")
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job)
        self.assertEqual(out, b"[0, 1, 4, 9] " * 2)
        self.assertEqual(list(attempt.nested_calls), [])


if __name__ == "__main__":
    unittest.main()

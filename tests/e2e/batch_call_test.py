"""B2, B8 and C9: many jobs in one call; a bad item fails alone, and malformed
input ends as INVALID_INPUT, tried once.
"""
import unittest

import grpc
from cluster import Cluster, Reason, State, refused, wait_until
from vigil.v1 import job_service_pb2

CATALOG = """
task_types {
  name: "picky"
  argv: "/bin/sh"
  argv: "-c"
  argv: "exit $0"
  allow_arguments: true
  exit_reasons { key: 42 value: REASON_INVALID_INPUT }
  retry { initial_interval { nanos: 1000000 } }
}
"""


def picky(*arguments, **options):
    """A request for a task of CATALOG."""
    request = job_service_pb2.SubmitJobRequest()
    request.spec.task_type = "picky"
    request.spec.arguments.extend(arguments)
    return Cluster.apply(request, **options)


class BatchCallTest(unittest.TestCase):

    def submit_all(self, cluster, requests):
        return cluster.jobs.SubmitJobs(
            job_service_pb2.SubmitJobsRequest(jobs=requests)).results

    def assert_invalid_input(self, job):
        self.assertEqual(job.state, State.STATE_FAILED)
        self.assertEqual(job.failure.reason, Reason.REASON_INVALID_INPUT)
        self.assertEqual(len(job.attempts), 1)

    def test_B2_exit_65_means_invalid_input_and_is_not_retried(self):
        with Cluster(local_slots=1) as cluster:
            job, _, _ = cluster.run(cluster.talker(
                "err:line 3: no such note", "exit:65", maximum_attempts=4))
            self.assert_invalid_input(job)
            self.assertIn("line 3: no such note", job.failure.message)
            ended = cluster.vigil("run", "--maximum_attempts=4", "--",
                                  "/bin/sh", "-c", "exit 65")
            self.assertEqual(ended.returncode, 65)
            self.assertIn(b"INVALID_INPUT", ended.stderr.splitlines()[-1])

    def test_B2_a_catalog_and_a_request_say_what_an_exit_means(self):
        with Cluster(local_slots=1, catalog=CATALOG) as cluster:
            by_type, _, _ = cluster.run(picky("42"))
            self.assert_invalid_input(by_type)
            by_default, _, _ = cluster.run(picky("65"))
            self.assert_invalid_input(by_default)
            unmapped, _, _ = cluster.run(picky("43"))
            self.assertEqual(unmapped.failure.reason,
                             Reason.REASON_NONZERO_EXIT)
            request = picky("43")
            request.spec.exit_reasons[43] = Reason.REASON_INVALID_INPUT
            by_request, _, _ = cluster.run(request)
            self.assert_invalid_input(by_request)

    def test_B2_a_transient_failure_beside_it_is_retried(self):
        with Cluster(local_slots=1, catalog=CATALOG) as cluster:
            job, _, _ = cluster.run(picky("75"))
            self.assertEqual(job.failure.reason, Reason.REASON_TASK_ERROR)
            self.assertEqual(len(job.attempts), 4)

    def test_B8_each_item_is_accepted_or_refused_for_itself(self):
        with Cluster(local_slots=2) as cluster:
            unknown = job_service_pb2.SubmitJobRequest()
            unknown.spec.task_type = "unheard-of"
            requests = [
                cluster.command("/bin/echo", "first"),
                cluster.command(),
                cluster.command("/bin/echo", "third", inactivity=-1),
                unknown,
                job_service_pb2.SubmitJobRequest(),
                cluster.command("/bin/sh", "-c", "exit 65"),
                cluster.command("/no/such/program"),
                cluster.command("/bin/echo", "last"),
            ]
            results = self.submit_all(cluster, requests)
            codes = [result.refusal.code for result in results]
            invalid = grpc.StatusCode.INVALID_ARGUMENT.value[0]
            not_found = grpc.StatusCode.NOT_FOUND.value[0]
            self.assertEqual(codes, [0, invalid, invalid, not_found, invalid,
                                     0, 0, 0])
            self.assertIn("spec.command.argv", results[1].refusal.message)
            self.assertIn("spec.timeouts.inactivity_timeout",
                          results[2].refusal.message)
            self.assertIn("unheard-of", results[3].refusal.message)
            states = [cluster.finish(results[i].job_id).state
                      for i in (0, 5, 6, 7)]
            self.assertEqual(states, [
                State.STATE_SUCCEEDED, State.STATE_FAILED, State.STATE_FAILED,
                State.STATE_SUCCEEDED])
            self.assertEqual(len(cluster.list_jobs()), 4)

    def test_B8_one_bad_item_never_fails_the_batch(self):
        with Cluster(local_slots=2) as cluster:
            items = b"0\n65\n0\n3\n0\n"
            ended = cluster.vigil("batch", "--", "/bin/sh", "-c", "exit {}",
                                  input=items, stdin=None)
            self.assertNotEqual(ended.returncode, 0)
            reasons = [job.failure.reason for job in cluster.list_jobs()]
            self.assertCountEqual(reasons, [
                Reason.REASON_UNSPECIFIED, Reason.REASON_UNSPECIFIED,
                Reason.REASON_UNSPECIFIED, Reason.REASON_INVALID_INPUT,
                Reason.REASON_NONZERO_EXIT])

    def test_C9_a_whole_batch_is_one_call(self):
        with Cluster(local_slots=2) as cluster:
            results = self.submit_all(
                cluster,
                [cluster.command("/bin/sh", "-c", f"exit {i % 10 == 7:d}",
                                 maximum_attempts=1) for i in range(1000)])
            ids = [result.job_id for result in results]
            self.assertEqual(len(set(ids)), 1000)

            def ended():
                counts = {count.state: count.jobs
                          for count in cluster.get_status().states}
                return (counts.get(State.STATE_SUCCEEDED, 0) == 900
                        and counts.get(State.STATE_FAILED, 0) == 100)
            wait_until(ended, "all thousand end", 120)
            jobs = {job.job_id: job for job in cluster.list_jobs()}
            self.assertEqual(set(jobs), set(ids))
            for i, job_id in enumerate(ids):
                expected = (State.STATE_FAILED if i % 10 == 7 else
                            State.STATE_SUCCEEDED)
                self.assertEqual(jobs[job_id].state, expected)

    def test_C9_an_empty_and_an_oversized_batch_are_refused(self):
        with Cluster(local_slots=0) as cluster:
            for count in (0, 10001):
                error = refused(
                    cluster.jobs.SubmitJobs,
                    job_service_pb2.SubmitJobsRequest(
                        jobs=[job_service_pb2.SubmitJobRequest()] * count))
                self.assertEqual(error.code(),
                                 grpc.StatusCode.INVALID_ARGUMENT)
                self.assertIn("1 to 10000", error.details())


if __name__ == "__main__":
    unittest.main()

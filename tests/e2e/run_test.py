"""A job from submission to its streamed result, by RunJob, against real
processes: the shortest way through everything."""
import unittest

from cluster import Cluster, Reason, State


class RunTest(unittest.TestCase):

    def test_streams_both_outputs_and_reports_the_exit_status(self):
        with Cluster() as cluster:
            job, out, err = cluster.run(
                cluster.talker("out:hello", "err:oops", "exit:3"))
            self.assertEqual(job.state, State.STATE_FAILED)
            self.assertEqual(job.failure.reason, Reason.REASON_NONZERO_EXIT)
            self.assertEqual(job.exit.status, 3)
            self.assertEqual((out, err), (b"hello\n", b"oops\n"))

    def test_succeeds_with_input_on_stdin(self):
        with Cluster() as cluster:
            request = cluster.command("/bin/cat")
            request.spec.input = b"\x00\xffbinary\n"
            job, out, _ = cluster.run(request)
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            self.assertEqual(out, b"\x00\xffbinary\n")


if __name__ == "__main__":
    unittest.main()

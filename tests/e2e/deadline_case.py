"""What the tests of the clocks share: one cluster a class, and shorthands."""
import unittest

from cluster import Cluster, State

# The scaled-down inactivity deadline, in seconds, for programs that write much
# more often than that.
INACTIVITY = 1.5


def seconds(time_or_duration):
    """A protobuf Timestamp or Duration as seconds."""
    return time_or_duration.seconds + time_or_duration.nanos / 1e9


class DeadlineTestCase(unittest.TestCase):
    """Tests that share a coordinator with four local slots."""

    catalog = None

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(local_slots=4, catalog=cls.catalog)
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def run_talker(self, *steps, **options):
        """Runs talker.py to its end: the job and its stdout."""
        job, out, _ = self.cluster.run(
            self.cluster.talker(*steps, **options))
        return job, out.decode()

    def assert_failed(self, job, reason):
        self.assertEqual(job.state, State.STATE_FAILED, job)
        self.assertEqual(job.failure.reason, reason, job.failure)

    def assert_succeeded(self, job):
        self.assertEqual(job.state, State.STATE_SUCCEEDED, job.failure)

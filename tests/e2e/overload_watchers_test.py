"""10,000 streams of which half take nothing, while jobs write more than the
coordinator may keep for them: its memory is bounded, nothing is lost, one
stream more is refused, and it answers all the while.
"""
import unittest

import grpc
from cluster import FINAL, State, wait_until
from load_case import MIB, Inquirer, LoadedCluster
from vigil.v1 import job_service_pb2

# kWatchersMax, and what each stream may cost (coordinator/engine/limits.h).
WATCHERS_MAX = 10_000
STREAM_KIB = 50
# Jobs that each write nearly 1 MiB, of which a stuck watcher of its own takes
# nothing, nor do most of those of a job that writes little.
FLOODS = 600
FLOOD_BYTES = 1_000_000
CHAT_BYTES = 48_000
CHAT_STUCK = 4_400
CHAT_READS = WATCHERS_MAX - CHAT_STUCK - FLOODS

# By how much the coordinator may grow while that is written, by its limits:
# output that watchers hold (kWatchersBytesMax), and what is large and on its
# way to them (kLargeWritesBytesMax);
HELD_MIB = 128
LARGE_MIB = 128
# for each stream an event of kEventOutputBytesMax in gRPC: at most that, and
# for those that read only as long as they need;
EVENTS_MIB = WATCHERS_MAX * 16 / 1024
# caches of programs and of the store, commits under way, and an allocator that
# does not give everything back.
OTHER_MIB = 96
GROWTH_MIB = HELD_MIB + LARGE_MIB + EVENTS_MIB + OTHER_MIB

# As large as results are, and more than may be on their way.
RESULTS = 64
RESULT_BYTES = 3 * MIB


class WatchersTest(unittest.TestCase):

    def test_half_of_10000_watchers_take_nothing_while_jobs_write_much(self):
        with LoadedCluster() as cluster:
            chat = cluster.submit(cluster.command(
                "/usr/bin/head", "-c", CHAT_BYTES, "/dev/zero"))
            floods = [cluster.submit(cluster.command(
                "/usr/bin/head", "-c", FLOOD_BYTES, "/dev/zero"))
                      for _ in range(FLOODS)]
            before = cluster.resident_mib()
            watchers = cluster.open_watchers(
                [f"{chat} live stuck {CHAT_STUCK // 2}",
                 f"{chat} lossless stuck {CHAT_STUCK // 2}",
                 f"{chat} live reads {CHAT_READS}"] +
                [f"{job_id} {'lossless' if i % 2 else 'live'} stuck 1"
                 for i, job_id in enumerate(floods)])
            self.assertEqual(cluster.get_status().watchers, WATCHERS_MAX)
            opened = cluster.resident_mib()
            self.assertLess(opened - before, WATCHERS_MAX * STREAM_KIB / 1024)
            self.check_one_more_is_refused(cluster, chat)
            with Inquirer(cluster) as inquirer:
                cluster.add_slots(4)
                self.wait_ended(cluster, 1 + FLOODS)
                grown = inquirer.peak_mib - opened
                self.assertLess(grown, GROWTH_MIB)
                tallies = cluster.read_all(watchers)
            print(f"{opened - before:.0f} MiB for the streams, then {grown:.0f}"
                  f" of at most {GROWTH_MIB:.0f}; {inquirer.answers} answers")
            self.check_whole(tallies[0], CHAT_STUCK // 2, CHAT_BYTES)
            self.check_whole(tallies[1], CHAT_STUCK // 2, CHAT_BYTES)
            self.check_whole(tallies[2], CHAT_READS, CHAT_BYTES)
            for tally in tallies[3:]:
                self.check_whole(tally, 1, FLOOD_BYTES)
            wait_until(lambda: cluster.get_status().watchers == 0,
                       "all have left")

    def check_one_more_is_refused(self, cluster, job_id):
        """The 10,001st stream, of either kind."""
        for stream in (
                cluster.jobs.WatchJob(
                    job_service_pb2.WatchJobRequest(job_id=job_id)),
                cluster.jobs.RunJob(job_service_pb2.RunJobRequest(
                    job=cluster.command("/bin/true")))):
            with self.assertRaises(grpc.RpcError) as caught:
                next(stream)
            self.assertEqual(caught.exception.code(),
                             grpc.StatusCode.RESOURCE_EXHAUSTED)
            self.assertIn("10000", caught.exception.details())

    @staticmethod
    def wait_ended(cluster, jobs):
        """Waits until that many jobs have succeeded."""
        def ended():
            counts = {c.state: c.jobs for c in cluster.get_status().states}
            if counts.get(State.STATE_FAILED, 0):
                raise AssertionError(counts)
            return sum(counts.get(state, 0) for state in FINAL) >= jobs
        wait_until(ended, "all jobs end", 120)

    def check_whole(self, tally, streams, size):
        """Each of the streams had all output once, in order."""
        self.assertEqual(
            (tally.ended, tally.output, tally.gaps, tally.torn),
            (streams, streams * size, 0, 0), tally)

    def test_results_that_nobody_takes_do_not_pile_up(self):
        with LoadedCluster() as cluster:
            requests = []
            for _ in range(RESULTS):
                # It fails, and has a result of 3 MiB all the same.
                request = cluster.command("/bin/false")
                request.spec.fallback.value = b"x" * (RESULT_BYTES - 1024)
                requests.append(request)
            jobs = [cluster.submit(request) for request in requests]
            stuck = cluster.open_watchers(
                [f"{job_id} silent stuck 1" for job_id in jobs])
            opened = cluster.resident_mib()
            with Inquirer(cluster) as inquirer:
                cluster.add_slots(4)
                self.wait_ended(cluster, RESULTS)
                # They hold all there is, and yet others have theirs.
                reads = cluster.open_watchers(
                    [f"{job_id} silent reads 1" for job_id in jobs[:8]])
                for tally in cluster.read_all(reads):
                    self.assertEqual((tally.ended, tally.results),
                                     (1, RESULT_BYTES - 1024), tally)
                self.assertLess(inquirer.peak_mib - opened,
                                LARGE_MIB + OTHER_MIB)
                tallies = cluster.read_all(stuck)
            # Those that were cut off for it may come again.
            ended = sum(tally.ended for tally in tallies)
            cut = sum(tally.cancelled for tally in tallies)
            self.assertEqual(ended + cut, RESULTS)
            self.assertGreater(cut, 0)
            print(f"{inquirer.peak_mib - opened:.0f} MiB; {cut} were cut off")
            job_id = next(job_id for job_id, tally in zip(jobs, tallies)
                          if tally.cancelled)
            *_, last = cluster.jobs.WatchJob(
                job_service_pb2.WatchJobRequest(job_id=job_id))
            self.assertEqual(len(last.event.job.result), RESULT_BYTES - 1024)


if __name__ == "__main__":
    unittest.main()

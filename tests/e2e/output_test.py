"""Output arrives as it was written, whatever it is: bytes that are no text, no
newline at the end, and more than is kept.
"""
import unittest

from cluster import Cluster, PYTHON, STDERR, STDOUT, State
from vigil.v1 import job_service_pb2

MIB = 1 << 20
# What ReadOutput keeps of an attempt: its start and its end.
HEAD = TAIL = 8 * MIB

ALL_BYTES = bytes(range(256)) * 300

# Writes a pattern in which each 8 bytes tell their own position.
NUMBERED = ("import sys; w = sys.stdout.buffer.write; "
            "[w(b''.join(b'%07d\\n' % (n + i) for i in range(4096))) "
            "for n in range(0, {words}, 4096)]")


def numbered(start, size):
    """The same pattern: `size` bytes from `start`."""
    first = start // 8
    text = b"".join(b"%07d\n" % n for n in range(first,
                                                 (start + size) // 8 + 1))
    return text[start - first * 8:][:size]


class OutputTest(unittest.TestCase):

    def read_all(self, cluster, job_id, size=3 * MIB):
        """Every page of ReadOutput: pieces of output, and gaps."""
        pieces, gaps, token = [], [], ""
        while True:
            page = cluster.jobs.ReadOutput(job_service_pb2.ReadOutputRequest(
                job_id=job_id, size_bytes_max=size, page_token=token))
            pieces.extend(page.output)
            gaps.extend(page.gaps)
            token = page.next_page_token
            if not token:
                return pieces, gaps

    def writes(self, cluster, data, tail=""):
        """A command that writes the bytes of a file."""
        path = cluster.dir / "bytes"
        path.write_bytes(data)
        return cluster.command("/bin/sh", "-c", f"cat {path}{tail}")

    def test_bytes_that_are_no_text_arrive_intact_by_every_way(self):
        with Cluster(local_slots=1) as cluster:
            request = self.writes(cluster, ALL_BYTES, " ; cat $0 >&2")
            request.spec.command.argv.append(f"{cluster.dir}/bytes")
            job, out, err = cluster.run(request)
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            self.assertEqual((out, err), (ALL_BYTES, ALL_BYTES))
            pieces, gaps = self.read_all(cluster, job.job_id)
            self.assertEqual(list(gaps), [])
            for stream in (STDOUT, STDERR):
                self.assertEqual(b"".join(
                    piece.data for piece in pieces if piece.stream == stream),
                                 ALL_BYTES)
            watched = b"".join(
                response.event.output.data
                for response in cluster.jobs.WatchJob(
                    job_service_pb2.WatchJobRequest(job_id=job.job_id))
                if response.event.output.stream == STDOUT)
            self.assertEqual(watched, ALL_BYTES)

    def test_the_command_line_passes_bytes_on_as_they_are(self):
        with Cluster(local_slots=1) as cluster:
            path = cluster.dir / "bytes"
            path.write_bytes(ALL_BYTES)
            ended = cluster.vigil("run", "--", "/bin/sh", "-c",
                                  f"cat {path}; cat {path} >&2")
            self.assertEqual(ended.returncode, 0)
            self.assertEqual(ended.stdout, ALL_BYTES)
            self.assertEqual(ended.stderr, ALL_BYTES)

    def test_a_failure_whose_output_is_no_text_can_be_reported(self):
        with Cluster(local_slots=1) as cluster:
            job, _, err = cluster.run(cluster.command(
                "/bin/sh", "-c", r"printf '\377\376 bad\200' >&2; exit 3"))
            self.assertEqual(err, b"\xff\xfe bad\x80")
            self.assertIn("status 3", job.failure.message)
            shown = cluster.vigil("explain", job.job_id)
            self.assertEqual(shown.returncode, 0)
            shown.stdout.decode()
            late, _, _ = cluster.run(cluster.command(
                "/bin/sh", "-c", r"printf '\377\376 bad\200'; sleep 600",
                inactivity=0.6, shutdown_grace=0.1))
            self.assertEqual(late.attempts[0].evidence.last_output,
                             b"\xff\xfe bad\x80")
            self.assertIn("bad", late.failure.message)

    def test_output_without_a_newline_arrives_at_once_and_whole(self):
        with Cluster(local_slots=1) as cluster:
            request = cluster.command(
                "/bin/sh", "-c", "printf begun; sleep 600")
            seen = b""
            job_id = ""
            for response in cluster.jobs.RunJob(
                    job_service_pb2.RunJobRequest(job=request)):
                job_id = job_id or response.event.job.job_id
                seen += response.event.output.data
                if seen == b"begun" and response.event.HasField("output"):
                    cluster.cancel(job_id)
            self.assertEqual(seen, b"begun")
            ended = cluster.vigil("run", "--", "/usr/bin/printf", "no end")
            self.assertEqual(ended.stdout, b"no end")

    def test_one_line_of_3_mib_arrives_whole(self):
        with Cluster(local_slots=1) as cluster:
            line = b"x" * (3 * MIB)
            job, out, _ = cluster.run(self.writes(cluster, line))
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            self.assertEqual(out, line)
            pieces, gaps = self.read_all(cluster, job.job_id, 64 << 10)
            self.assertEqual(b"".join(piece.data for piece in pieces), line)
            self.assertEqual(gaps, [])

    def test_of_20_mib_head_and_tail_are_kept_and_the_rest_is_counted(self):
        size = 20 * MIB
        whole = numbered(0, size)
        with Cluster(local_slots=1) as cluster:
            job, out, _ = cluster.run(cluster.command(
                PYTHON, "-c", NUMBERED.format(words=size // 8)))
            self.assertEqual(job.state, State.STATE_SUCCEEDED)
            # Streamed without loss.
            self.assertTrue(out == whole)
            self.assertEqual(job.attempts[0].stdout_bytes, size)
            for page in (3 * MIB, 0):
                self.check_kept(*self.read_all(cluster, job.job_id, page),
                                whole)
            # A late watcher is told of the same gap.
            events = [response.event for response in cluster.jobs.WatchJob(
                job_service_pb2.WatchJobRequest(job_id=job.job_id))]
            self.check_kept(
                [event.output for event in events if event.HasField("output")],
                [event.gap for event in events if event.HasField("gap")],
                whole)
            self.assertEqual(events[-1].job.state, State.STATE_SUCCEEDED)

    def check_kept(self, pieces, gaps, whole):
        """Pieces and gaps make the whole, from its first byte to its last."""
        parts = sorted([(piece.offset, len(piece.data), piece.data)
                        for piece in pieces] +
                       [(gap.offset, gap.size_bytes, None) for gap in gaps],
                       key=lambda part: part[0])
        position = 0
        for offset, size, data in parts:
            self.assertEqual(offset, position)
            if data is not None:
                self.assertTrue(data == whole[offset:offset + size])
            position += size
        self.assertEqual(position, len(whole))
        lost = sum(gap.size_bytes for gap in gaps)
        self.assertGreater(lost, 0)
        # Rows of 64 KiB are kept or dropped as a whole.
        self.assertLessEqual(abs(lost - (len(whole) - HEAD - TAIL)), MIB)
        self.assertGreaterEqual(gaps[0].offset, HEAD - MIB)


if __name__ == "__main__":
    unittest.main()

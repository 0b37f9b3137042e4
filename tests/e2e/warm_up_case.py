"""What the tests of warm-ups share: task types whose warm-up is warm_up.py, and
shorthands for the caches that it fills, which lie in the worker's directory.
"""
import os

from cluster import PYTHON, TASKS, wait_until
from vigil.v1 import job_service_pb2
from warm_case import STARTED, WarmTestCase, raw_type, result

# Steps of a job that says where it finds its cache.
LOOK = (STARTED, ["env", "VIGIL_CACHE_DIR"], result())


def warm_up(name, mode, **fields):
    """A warm_up field that runs warm_up.py."""
    return {"argv": [PYTHON, f"{TASKS}/warm_up.py",
                     "{catalog_dir}/" + f"{name}.up", mode], **fields}


def warmed(name, mode, **fields):
    """A task type with a warm-up; its options start with `warm_`."""
    options = {key[5:]: fields.pop(key) for key in list(fields)
               if key.startswith("warm_")}
    return raw_type(name, warm_up=warm_up(name, mode, **options), **fields)


class WarmUpCase(WarmTestCase):
    """Tests of `types` that have a warm-up."""

    def caches(self, name):
        """What there is of a cache: "complete", "partial", "old"."""
        path = self.cluster.data_dir / "worker" / "cache"
        return sorted(
            (entry.name.split("~")[1:] or ["complete"])[0].split("-")[0]
            for entry in path.iterdir()
            if entry.name.split("~")[0] == name)

    def fills(self, name):
        """How often the warm-up was begun."""
        path = self.cluster.dir / f"{name}.up"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def go(self, name):
        """Lets a warm-up that waits, or failed so far, succeed."""
        (self.cluster.dir / f"{name}.up.go").touch()

    def wait_filling(self, name, count=1):
        wait_until(lambda: self.fills(name) == count, "the warm-up runs")

    def assert_complete(self, job, directory):
        """The job succeeded and saw a complete cache there."""
        self.assert_succeeded(job)
        self.assertEqual(sorted(os.listdir(directory)), [b"first", b"second"])

    def output(self, job_id):
        """The tokens of a job's last attempt."""
        pieces = self.cluster.jobs.ReadOutput(
            job_service_pb2.ReadOutputRequest(
                job_id=job_id,
                attempt=len(self.cluster.get(job_id).attempts))).output
        return b"".join(piece.data for piece in pieces if piece.stream == 1)

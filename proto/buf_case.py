"""BufTestCase: a copy of the protos that a test may change, judged by buf."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, "tests/clients")
import npm_packages  # pylint: disable=wrong-import-position

# Longer than buf ever takes; it needs half a second.
PATIENCE = 60.0

RELEASED = pathlib.Path("proto/released/vigil.binpb").absolute()


class BufTestCase(unittest.TestCase):
    """Each test has a copy of its own."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.proto = pathlib.Path(directory.name) / "proto"
        # Runfiles are links; the copy has files.
        shutil.copytree("proto", self.proto)

    def change(self, name, before, after):
        """Replaces the one place where a file of vigil/ has `before`."""
        path = self.proto / "vigil" / name
        text = path.read_text(encoding="utf-8")
        self.assertEqual(text.count(before), 1, before)
        path.write_text(text.replace(before, after), encoding="utf-8")

    def buf(self, *arguments):
        """Runs buf on the copy; returns what it has to say, "" if nothing."""
        cache = {"BUF_CACHE_DIR": str(self.proto.parent / "cache")}
        ended = subprocess.run(
            npm_packages.node("@bufbuild/buf/bin/buf", *arguments),
            cwd=self.proto, env={**os.environ, **cache}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
        self.assertEqual(ended.returncode != 0, bool(ended.stdout),
                         f"status {ended.returncode}: {ended.stdout}")
        return ended.stdout

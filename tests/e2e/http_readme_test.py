"""README's examples of curl, run as they stand there but for the port."""
import pathlib
import re
import subprocess
import unittest

from cluster import PATIENCE
from http_case import HttpCluster

README = pathlib.Path("README.md").read_text(encoding="utf-8")
EXAMPLES = pathlib.Path("deploy/examples")


class HttpReadmeTest(unittest.TestCase):

    def test_the_examples_of_curl_do_what_they_say(self):
        section = README[README.index("### With curl"):]
        section = section[:section.index("\n## ")]
        start, examples = re.findall(r"```sh\n(.*?)```", section, re.S)[:2]
        self.assertIn("--http_listen=127.0.0.1:8080", start)
        self.assertIn("--catalog=deploy/examples/count_letters.textproto",
                      start)
        catalog = (EXAMPLES / "count_letters.textproto").read_text().replace(
            "{catalog_dir}", str(EXAMPLES.absolute()))
        with HttpCluster(catalog=catalog) as cluster:
            ended = subprocess.run(
                ["bash", "-eu", "-c",
                 examples.replace(":8080/", f":{cluster.port}/")],
                capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        submitted, got, listed, *stream = ended.stdout.splitlines()
        job_id = re.search(r'"jobId":"(\w+)"', submitted).group(1)
        self.assertIn(job_id, got)
        self.assertIn(job_id, listed)
        # "one: 3\n", and the end of the stream.
        self.assertTrue(any('"data":"b25lOiAz' in line for line in stream),
                        ended.stdout)
        self.assertTrue(any("STATE_SUCCEEDED" in line for line in stream))
        self.assertEqual(stream[-1], "{}")


if __name__ == "__main__":
    unittest.main()

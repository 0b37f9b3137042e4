"""`vigil run` as a program among programs: its exit status, its last line on
stderr, Ctrl+C, and a private coordinator that leaves nothing behind.

Each test runs once against a coordinator that runs already and once with
nothing running, where `vigil run` starts one for itself.
"""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

from cluster import (
    PATIENCE,
    PYTHON,
    TASKS,
    VIGIL,
    Cluster,
    processes_with,
    wait_until,
)


class RunTests:
    """What holds with any coordinator; start() gives flags and environment."""

    def vigil(self, *args, **options):
        """Runs `vigil run ARGS` to its end."""
        return subprocess.run(
            [VIGIL, "run", *self.flags, *map(str, args)],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
            check=False, env=self.environment, **options)

    def check(self, run, status, last_line):
        """Compares the status and the last line, `ID` for the job's id."""
        self.assertEqual(run.returncode, status, run.stderr)
        lines = run.stderr.decode().splitlines()
        pattern = re.escape(last_line).replace("ID", r"[0-9a-z-]+")
        self.assertRegex(lines[-1], f"^{pattern}$")
        self.assertTrue(run.stderr.endswith(b"\n"))

    def test_A12_success_says_nothing_of_its_own(self):
        run = self.vigil("--", "/bin/sh", "-c", "echo out; echo err >&2")
        self.assertEqual((run.returncode, run.stdout, run.stderr),
                         (0, b"out\n", b"err\n"))

    def test_A12_the_programs_own_exit_status(self):
        run = self.vigil("--", "/bin/sh", "-c", "printf partial >&2; exit 3")
        self.check(run, 3, "vigil: job ID FAILED: NONZERO_EXIT: the program "
                           "exited with status 3; last line of stderr "
                           '"partial"')

    def test_A12_124_when_a_clock_ended_it(self):
        run = self.vigil("--inactivity=500ms", "--", "/bin/sh", "-c",
                         "echo words; exec sleep 600")
        self.assertEqual(run.returncode, 124, run.stderr)
        self.assertEqual(run.stdout, b"words\n")
        self.assertRegex(
            run.stderr.decode().splitlines()[-1],
            r"^vigil: job \S+ FAILED: INACTIVITY_TIMEOUT: .*"
            r'inactivity_timeout.*; last output "words"$')

    def test_A12_125_when_vigil_itself_cannot(self):
        run = self.vigil("--inactivity=-1s", "--", "/bin/true")
        self.assertEqual(run.returncode, 125, run.stderr)
        self.assertIn(b"inactivity", run.stderr)
        run = self.vigil("--no_such_flag", "--", "/bin/true")
        self.assertEqual(run.returncode, 125, run.stderr)

    def test_A12_126_when_it_is_not_executable(self):
        run = self.vigil("--", "/etc/hostname")
        self.assertEqual(run.returncode, 126, run.stderr)
        self.assertRegex(run.stderr.decode().splitlines()[-1],
                         r"^vigil: job \S+ FAILED: SPAWN_FAILED: .*hostname")

    def test_A12_127_when_it_is_not_found(self):
        run = self.vigil("--", "no-such-program")
        self.assertEqual(run.returncode, 127, run.stderr)
        self.assertRegex(run.stderr.decode().splitlines()[-1],
                         r"^vigil: job \S+ FAILED: SPAWN_FAILED: .*no-such-")

    def test_A12_128_and_the_signal_that_ended_it(self):
        run = self.vigil("--", "/bin/sh", "-c", "kill -SEGV $$")
        self.assertEqual(run.returncode, 128 + signal.SIGSEGV, run.stderr)
        self.assertRegex(run.stderr.decode().splitlines()[-1],
                         r"^vigil: job \S+ FAILED: SIGNALLED: ")

    def test_A7_ctrl_c_cancels_and_waits_for_confirmed_death(self):
        mark = f"mark-{self.id()}-{os.getpid()}"
        with subprocess.Popen(
                [VIGIL, "run", *self.flags, "--shutdown_grace=1s", "--",
                 PYTHON, f"{TASKS}/talker.py", "ignore:TERM", "out:ready",
                 "600", mark],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=self.environment) as run:
            self.assertEqual(run.stdout.read(5), b"ready")
            run.send_signal(signal.SIGINT)
            _, err = run.communicate(timeout=PATIENCE)
        # Dead when it says so, not some time later.
        self.assertEqual(processes_with(mark), [])
        self.assertEqual(run.returncode, 130, err)
        lines = err.decode().splitlines()
        self.assertIn("processes are proved dead", lines[-2])
        self.assertRegex(lines[-1], r"^vigil: job \S+ CANCELLED: CANCELLED: ")

    def test_L1_observe_kills_nothing_and_says_what_it_would_have_killed(self):
        run = self.vigil("--observe", "--inactivity=500ms", "--", "/bin/sh",
                         "-c", "echo a; sleep 1.5; echo b")
        self.assertEqual((run.returncode, run.stdout), (0, b"a\nb\n"))
        self.assertIn(b"would have been stopped: INACTIVITY_TIMEOUT: ",
                      run.stderr)

    def test_A5_silent_and_pty(self):
        run = self.vigil("--silent", "--", "/bin/sh", "-c",
                         "sleep 0.2; test -t 1 || echo no terminal")
        self.assertEqual((run.returncode, run.stdout), (0, b"no terminal\n"))
        run = self.vigil("--pty", "--", "/bin/sh", "-c",
                         "test -t 1 && test -t 2 && echo a terminal")
        self.assertEqual((run.returncode, run.stdout), (0, b"a terminal\r\n"))

    def test_A3_stdin_cwd_and_environment(self):
        with tempfile.TemporaryDirectory() as here:
            pathlib.Path(here, "in").write_bytes(b"\x00input\n")
            run = self.vigil("--stdin=in", "--env=GIVEN=yes", "--", "/bin/sh",
                             "-c", "cat; pwd; echo $GIVEN$NOT_GIVEN",
                             cwd=here)
            self.assertEqual(run.stdout, b"\x00input\n" +
                             f"{os.path.realpath(here)}\nyes\n".encode())
        run = self.vigil("--", "/bin/cat")
        self.assertEqual((run.returncode, run.stdout), (0, b""))


class SharedCoordinatorTest(RunTests, unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster()
        cls.cluster.__enter__()
        cls.flags = [f"--address={cls.cluster.address}"]
        cls.environment = {**os.environ, "NOT_GIVEN": "no"}

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)


class PrivateCoordinatorTest(RunTests, unittest.TestCase):

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory(prefix="p", dir="/tmp")
        self.addCleanup(self.dir.cleanup)
        self.flags = []
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "NOT_GIVEN": "no",
            **{name: str(pathlib.Path(self.dir.name, name))
               for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR",
                            "XDG_STATE_HOME")},
        }
        for name in ("HOME", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
            os.mkdir(self.environment[name], 0o700)

    def tearDown(self):
        # No process and no directory is left, at once.
        self.assertEqual(processes_with(self.dir.name), [])
        left = [str(path) for path in pathlib.Path(self.dir.name).glob("*/*")]
        self.assertEqual(left, [])

    def test_an_address_where_nobody_listens_is_told_and_not_waited_for(self):
        self.flags = [f"--address=unix:{self.dir.name}/nobody"]
        run = self.vigil("--", "/bin/true")
        self.assertEqual(run.returncode, 125)
        self.assertIn(f"{self.dir.name}/nobody", run.stderr.decode())
        self.assertNotIn("trying again", run.stderr.decode())

    def test_A3_a_killed_vigil_leaves_no_process_and_the_next_run_cleans(self):
        with subprocess.Popen(
                [VIGIL, "run", "--", "/bin/sh", "-c", "echo on; sleep 600"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                env=self.environment) as run:
            self.assertEqual(run.stdout.read(2), b"on")
            run.kill()
        wait_until(lambda: not processes_with(self.dir.name), "all are gone")
        self.assertEqual(self.vigil("--", "/bin/true").returncode, 0)


if __name__ == "__main__":
    unittest.main()

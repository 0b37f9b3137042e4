#!/usr/bin/python3
"""Proves what sitecustomize.py does at the start of Python, and what it leaves.

Each test runs a small program in an environment like the one that Vigil's
worker makes, and looks at its output and at what it reported.
"""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 60  # Seconds; a program that hangs is a failure.
WARNING = ("vigil: {} at {} runs in this process, in order "
           "(on_nested_pool SEQUENTIAL)")


class SitecustomizeTest(unittest.TestCase):
    """A directory for programs, and what they report."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.report = self.directory / "report"

    def write(self, name: str, text: str) -> str:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return str(path)

    def run_python(self, *arguments: str, **changes: str):
        environment = {"PYTHONPATH": HERE, "VIGIL_SEQUENTIAL": "1",
                       "VIGIL_REPORT": str(self.report)} | changes
        return subprocess.run(
            [sys.executable, "-B", *arguments], env=environment,
            capture_output=True, timeout=PATIENCE, check=False,
            text=True, stdin=subprocess.DEVNULL, cwd=self.directory)

    def reported(self) -> list[list[str]]:
        return [line.split("\t") for line in
                self.report.read_text().splitlines()]


class ReportTest(SitecustomizeTest):
    """Each opening is reported, and each place is warned of."""

    def test_C2_warns_once_of_a_place_and_reports_each_time(self):
        program = self.write("songs.py", """\
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor
            for _ in range(3):
                with ProcessPoolExecutor(2) as it:
                    pass
                multiprocessing.Pool(2).terminate()
            multiprocessing.get_context("spawn").Pool(1).terminate()
            """)
        done = self.run_python(program)
        self.assertEqual(done.stderr.splitlines(), [
            WARNING.format("ProcessPoolExecutor", "songs.py:4"),
            WARNING.format("multiprocessing.Pool", "songs.py:6"),
            WARNING.format("multiprocessing.Pool", "songs.py:7")])
        self.assertEqual(self.reported(), [
            ["sequential", "songs.py", "ProcessPoolExecutor", "songs.py:4"],
            ["sequential", "songs.py", "multiprocessing.Pool", "songs.py:6"],
        ] * 3 + [
            ["sequential", "songs.py", "multiprocessing.Pool", "songs.py:7"]])

    def test_C2_finds_the_caller_in_packages_and_modules(self):
        self.write("site-packages/vocal.py", """\
            from concurrent.futures import ProcessPoolExecutor
            class Vocals(ProcessPoolExecutor):
                def __init__(self):
                    super().__init__(2)
            """)
        outside = tempfile.TemporaryDirectory()
        self.addCleanup(outside.cleanup)
        program = pathlib.Path(outside.name) / "mix.py"
        program.write_text(textwrap.dedent(f"""\
            import concurrent.futures.process, sys
            # As if Python, too, were where its packages are.
            sys.modules["vigil_sequential"]._LIBRARY = "{self.directory}/"
            import vocal
            vocal.Vocals()
            """))
        self.run_python(str(program), PYTHONPATH=os.pathsep.join(
            [HERE, str(self.directory / "site-packages")]))
        self.run_python("-c", "\nimport multiprocessing.pool as p; p.Pool(1)")
        self.assertEqual(self.reported(), [
            ["sequential", "mix.py", "ProcessPoolExecutor",
             f"{self.directory}/site-packages/vocal.py:4"],
            ["sequential", os.path.basename(sys.executable),
             "multiprocessing.Pool", "<string>:2"]])

    def test_C2_children_report_as_well(self):
        program = self.write("parent.py", """\
            import subprocess, sys
            if len(sys.argv) == 1:
                subprocess.run([sys.executable, __file__, "child"])
            from concurrent.futures import ProcessPoolExecutor
            ProcessPoolExecutor(1)
            """)
        self.run_python(program)
        self.assertEqual(len(self.reported()), 2)

    def test_C2_a_line_is_one_whatever_the_names(self):
        name = "\t\n\\" + "\u20ac" * 60 + ".py"
        program = self.write(name, """\
            import concurrent.futures
            code = compile(
                "concurrent.futures.ProcessPoolExecutor(1)",
                "/x\\udcff" + "\u00e4" * 600 + "/a\\tb.py", "exec")
            exec(code)
            """)
        done = self.run_python(program)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        line = self.report.read_bytes()
        self.assertIn(len(line), (511, 512))
        self.assertEqual((line.count(b"\n"), line.count(b"\t")), (1, 3))
        self.assertNotIn("\ufffd", line.decode())  # No half characters.
        _, program, _, where = line.decode().split("\t")
        self.assertTrue(program.startswith("\\t\\n\\\\\u20ac"), program)
        self.assertTrue(where.endswith("\u00e4/a\\tb.py:1\n"), where)

    def test_failing_to_report_fails_nothing(self):
        program = self.write("program.py", """\
            from concurrent.futures import ProcessPoolExecutor
            print(list(ProcessPoolExecutor(1).map(abs, [-1])))
            """)
        fifo = self.directory / "fifo"
        os.mkfifo(fifo)
        for report in (str(self.directory), "/nonexistent/report", str(fifo),
                       "/dev/full", ""):
            done = self.run_python(program, VIGIL_REPORT=report)
            self.assertEqual(done.stdout, "[1]\n", done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_a_closed_stderr_fails_nothing(self):
        program = self.write("program.py", """\
            from concurrent.futures import ProcessPoolExecutor
            data = open("data", "w")  # Is descriptor 2 now.
            print(list(ProcessPoolExecutor(1).map(abs, [-1])))
            data.close()
            """)
        done = subprocess.run(
            ["/bin/sh", "-c", '"$0" -B "$1" 2>&-', sys.executable, program],
            env={"PYTHONPATH": HERE, "VIGIL_SEQUENTIAL": "1",
                 "VIGIL_STACK_DUMP_SIGNAL": "40"},
            stdout=subprocess.PIPE, timeout=PATIENCE, check=False,
            cwd=self.directory)
        self.assertEqual((done.returncode, done.stdout), (0, b"[1]\n"))
        self.assertEqual((self.directory / "data").read_text(), "")


class StartTest(SitecustomizeTest):
    """What Python is like when its program begins."""

    def test_imports_nothing_that_a_bare_python_does_not(self):
        text = "import sys; print(sorted(sys.modules), sys.path)"
        with_us = self.run_python("-c", text)
        without = self.run_python("-c", text, PYTHONPATH="")
        self.assertEqual(with_us.stdout, without.stdout)
        self.assertEqual(with_us.stderr, "")

    def test_pools_are_pythons_own_unless_told(self):
        text = ("import os, multiprocessing\nif __name__ == '__main__':\n"
                " print(multiprocessing.Pool(1).apply(os.getpid) "
                "== os.getpid())")
        program = self.write("program.py", text)
        for value, inside in (("1", "True\n"), ("0", "False\n"),
                              ("", "False\n")):
            done = self.run_python(program, VIGIL_SEQUENTIAL=value)
            self.assertEqual(done.stdout, inside)

    def test_the_modules_keep_their_loader_and_their_source(self):
        done = self.run_python("-c", textwrap.dedent("""\
            import importlib, inspect, multiprocessing.pool as pool
            import concurrent.futures.process as process
            for module in pool, process:
                print(type(module.__loader__).__name__,
                      module.__spec__.loader is module.__loader__,
                      len(inspect.getsource(module)) > 10000)
            pool.Pool(1), process.ProcessPoolExecutor(1)
            importlib.reload(process)
            importlib.reload(pool)
            pool.Pool(1), process.ProcessPoolExecutor(1)
            print(inspect.signature(pool.Pool))
            """))
        self.assertEqual(done.stdout, "SourceFileLoader True True\n" * 2 +
                         "(processes=None, initializer=None, initargs=(), "
                         "maxtasksperchild=None, context=None)\n", done.stderr)
        self.assertEqual(len(self.reported()), 4)

    def test_hands_over_to_the_next_sitecustomize(self):
        self.write("next/sitecustomize.py",
                   "import sys\nsys.next = __name__, __file__\n")
        text = "import sys, sitecustomize as s; print(sys.next, s.__file__)"
        path = str(self.directory / "next" / "sitecustomize.py")
        done = self.run_python("-c", text, PYTHONPATH=os.pathsep.join(
            [HERE, HERE + "/", os.path.dirname(path)]))
        self.assertEqual(done.stdout, f"{('sitecustomize', path)} {path}\n",
                         done.stderr)

    def test_is_itself_where_there_is_no_next_one(self):
        done = self.run_python("-c", textwrap.dedent("""\
            import sys
            sys.path = [sys.argv[1]]
            del sys.modules["sitecustomize"]
            import sitecustomize
            print(sitecustomize.__file__, sys.path)
            """), HERE)
        self.assertEqual(done.stdout, f"{HERE}/sitecustomize.py []\n",
                         done.stderr)

    def test_errors_of_the_next_one_are_as_without_us(self):
        for text in ("import nonsense", "1 / 0", "raise SystemExit(7)"):
            self.write("next/sitecustomize.py", text)
            outcomes = []
            for first in (HERE + os.pathsep, ""):
                done = self.run_python(
                    "-c", "print('goes on')",
                    PYTHONPATH=first + str(self.directory / "next"))
                outcomes.append((done.returncode, done.stdout,
                                 done.stderr.splitlines()[-1:]))
            self.assertEqual(outcomes[0], outcomes[1])

    def test_what_fails_is_one_line(self):
        broken = self.directory / "broken"
        broken.mkdir()
        text = pathlib.Path(HERE, "sitecustomize.py").read_text()
        (broken / "sitecustomize.py").write_text(text)
        done = self.run_python(  # Without vigil_sequential.py.
            "-c", "import concurrent.futures.process; print('goes on')",
            PYTHONPATH=str(broken), VIGIL_STACK_DUMP_SIGNAL="nine")
        self.assertEqual(done.stdout, "goes on\n")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 2, lines)
        self.assertIn("vigil: ValueError: ", lines[0])
        self.assertIn("vigil: FileNotFoundError: ", lines[1])


class StackDumpTest(SitecustomizeTest):
    """The signal for stack dumps."""

    def test_dumps_the_stacks_of_all_threads_and_goes_on(self):
        number = signal.SIGRTMIN + 6
        done = self.run_python("-c", textwrap.dedent("""\
            import os, threading, time
            def stuck_here():
                started.set()
                end.wait()
            started, end = threading.Event(), threading.Event()
            thread = threading.Thread(target=stuck_here)
            thread.start()
            started.wait()
            os.kill(os.getpid(), int(os.environ["VIGIL_STACK_DUMP_SIGNAL"]))
            end.set()
            thread.join()
            print("goes on")
            """), VIGIL_STACK_DUMP_SIGNAL=str(number))
        self.assertEqual(done.stdout, "goes on\n", done.stderr)
        self.assertIn("in stuck_here", done.stderr)
        self.assertIn("in <module>", done.stderr)


if __name__ == "__main__":
    unittest.main()

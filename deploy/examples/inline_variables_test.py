#!/usr/bin/python3
"""Proves that inline_variables.py changes text and nothing else.

Snippets are run before and after they are rewritten, with a `log` that records
the order of what happens, and must do the same; other tests look at the text
that comes out, at exit statuses, at what is left on disk, and at what a warm
task answers.
"""

from __future__ import annotations

import ast
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import textwrap
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import inline_variables  # pylint: disable=wrong-import-position

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "inline_variables.py")

# What snippets may use: everything they do to it ends up in `events`.
PRELUDE = """
events = []
def log(value):
    events.append(value)
    return value
class Loud:
    def __init__(self, name): self.name = log(name); self.log = log
    def __del__(self): events.append('del ' + self.name)
    def __add__(self, other): return log('add')
    def __bool__(self): return log(False)
    def __enter__(self): return log('enter')
    def __exit__(self, *unused): log('exit')
"""


def rewrite(snippet: str) -> tuple[str, int]:
    """Returns the snippet without its variables, and how many went."""
    tree = ast.parse(textwrap.dedent(snippet))
    inlined, _ = inline_variables.inline_variables(tree)
    return ast.unparse(tree), inlined


def run(snippet: str) -> list[object]:
    """Returns what calling the snippet's `f(1)` logged and returned."""
    scope: dict[str, object] = {}
    exec(PRELUDE + textwrap.dedent(snippet), scope)  # pylint: disable=exec-used
    events = scope["events"]
    try:
        events.append(("returned", repr(scope["f"](1))))
    except Exception as error:  # pylint: disable=broad-except
        events.append(("raised", repr(error)))
    return events


class WritingTest(unittest.TestCase):

    def rewritten(self, source: str) -> str:
        # pylint: disable=protected-access
        return inline_variables._rewrite_source(source.encode(), "m")[0].decode()

    def test_leaves_what_does_not_change_as_it_is_written(self):
        before = "# \u00e4 note\nA  =  1 ; B = 2\n\n"
        after = "\n\nclass C :\n    x = 1  # kept\n"
        changed = "@g\n# gone\ndef f(a):\n    x = -2 # gone\n    return x\n"
        self.assertEqual(
            self.rewritten(before + changed + after),
            before + "@g\ndef f(a):\n    return -2\n" + after)

    def test_writes_all_anew_where_the_source_names_its_encoding(self):
        source = ("# coding: utf-8\nA  =  1\n"
                  "def f(a):\n    x = -2\n    return x\n")
        self.assertEqual(self.rewritten(source),
                         "A = 1\n\ndef f(a):\n    return -2\n")


class SemanticsTest(unittest.TestCase):

    def check(self, snippet: str, inlined: int) -> None:
        rewritten, count = rewrite(snippet)
        self.assertEqual(count, inlined, rewritten)
        self.assertEqual(run(rewritten), run(snippet), rewritten)

    def test_inlines_call_that_return_takes_first(self):
        self.check("""
            def f(a):
                x = log(a)
                return x + log(2)
            """, 1)

    def test_folds_chain_into_its_end(self):
        self.check("""
            def f(a):
                x = log('abc')
                y = x.upper
                return y()
            """, 1)
        self.check("""
            def f(a):
                x = log('abc')
                y = not x
                z = not y
                if z:
                    return 1
            """, 2)

    def test_inlines_constant_behind_a_call(self):
        self.check("""
            def f(a):
                x = -2
                return log(1) + log(x)
            """, 1)

    def test_inlines_parameter_that_never_changes(self):
        self.check("""
            def f(a):
                x = (a, 'b')
                return [log(1), x]
            """, 1)

    def test_inlines_keyword_argument_of_the_same_name(self):
        self.check("""
            def f(a):
                sep = '-'
                print('', end='', sep=sep)
            """, 1)

    def test_inlines_inside_a_loop_body(self):
        self.check("""
            def f(a):
                for i in range(3):
                    x = i in (1, 2)
                    if x:
                        log(i)
            """, 1)

    def test_inlines_inside_every_compound_statement(self):
        pair = "x = 5; log(x)"
        for body in (f"if a: {pair}", f"if not a: pass\n    else: {pair}",
                     f"for i in '1': {pair}",
                     f"while not log({{}}): {pair}; break",
                     f"with Loud('x'): {pair}",
                     f"try: {pair}\n    finally: pass",
                     f"try: 1/0\n    except ZeroDivisionError: {pair}",
                     f"try: pass\n    finally: {pair}",
                     f"match a:\n      case 1: {pair}",
                     f"def g(): {pair}\n    g()",
                     f"class C:\n      def g(self): {pair}\n    C().g()",
                     f"async def g():\n      async for i in h(): {pair}"):
            with self.subTest(body):
                self.check(f"def f(a):\n    {body}\n", 1)

    def test_keeps_call_that_would_move_behind_another(self):
        self.check("""
            def f(a):
                x = log(1)
                return log(2) + x
            """, 0)

    def test_keeps_call_that_would_move_behind_a_lookup(self):
        self.check("""
            def g(value): return ('old', value)
            def replace():
                global g
                g = lambda value: ('new', value)
            def f(a):
                x = replace()
                return g(x)
            """, 0)

    def test_keeps_bool_that_would_move_behind_the_target_of_plus(self):
        self.check("""
            class C:
                @property
                def value(self): return log(1)
                @value.setter
                def value(self, value): log(value)
            def f(a):
                x = log(2) in (2,)
                C().value += x
            """, 0)

    def test_keeps_parameter_that_changes_in_between(self):
        self.check("""
            def f(a):
                x = a
                a = [log(1), x]
                return a
            """, 0)
        self.check("""
            def f(a):
                x = a
                return (a := 5) + x
            """, 0)
        self.check("""
            def f(a):
                def change():
                    nonlocal a
                    a = 7
                x = a
                return [change(), x]
            """, 0)

    def test_keeps_name_that_only_a_lambda_in_a_default_binds(self):
        self.check("""
            y = 1
            def change():
                global y
                y = 2
            def f(a, g=lambda y: y):
                x = y
                return [change(), x]
            """, 0)

    def test_keeps_value_whose_end_would_come_earlier(self):
        for use in ("return log(x.name)", "log(x.name)\n    log('after')",
                    "return x.name and log('late')", "return x.log('late')",
                    "self = x.name\n    log(self)",
                    "return x.name if x else log('late')"):
            self.check(f"def f(a):\n    x = Loud('x')\n    {use}\n", 0)
        self.check("""
            def f(a):
                x = Loud('x')
                return x or log('late')
            """, 0)
        self.check("""
            def f(a):
                x = Loud('x')
                return x.name
            """, 1)

    def test_keeps_value_that_a_finally_or_exit_would_outlive(self):
        self.check("""
            def f(a):
                try:
                    x = Loud('x')
                    return x.name
                finally:
                    log('finally')
            """, 0)
        self.check("""
            def f(a):
                with Loud('guard'):
                    x = Loud('x')
                    return x.name
            """, 0)

    def test_keeps_what_is_read_again_in_each_turn_of_a_loop(self):
        self.check("""
            def f(a):
                x = not log(a)
                while x:
                    return 1
            """, 0)
        self.check("""
            def f(a):
                x = log(3) in (3,)
                return [x for i in range(2)]
            """, 0)

    def test_keeps_what_a_lambda_reads_later(self):
        self.check("""
            def f(a):
                x = log(a)
                return (lambda: x)()
            """, 0)

    def test_keeps_what_runs_only_sometimes(self):
        self.check("""
            def f(a):
                x = log(1) in (2,)
                return a == 2 and x
            """, 0)
        self.check("""
            def f(a):
                x = log(1) in (1,)
                assert x
            """, 0)

    def test_keeps_names_bound_in_other_ways(self):
        for snippet in (
                "global x\n    x = log(a)\n    return x",
                "x = log(a)\n    return x\n    del x",
                "x = log(a)\n    return x\n    import os as x",
                "x = log(a)\n    return x\n    x = 2",
                "x = log(a)\n    return x\n    def x(): pass",
                "for x in (): pass\n    x = log(a)\n    return x",
                "a = log(a)\n    return a",
                "x = y = log(a)\n    return x",
                "x: int = log(a)\n    return x",
        ):
            self.check(f"def f(a):\n    {snippet}\n", 0)

    def test_keeps_names_of_handlers_and_patterns(self):
        self.check("""
            def f(a):
                try:
                    log(1)
                except ValueError as x:
                    pass
                x = log(a)
                return x
            """, 0)
        self.check("""
            def f(a):
                match a:
                    case [x, *_]:
                        pass
                x = log(a)
                return x
            """, 0)

    def test_keeps_variables_of_functions_that_look_at_them(self):
        for call in ("sorted(locals())", "eval('x')", "vars()['x']",
                     "__import__('sys')._getframe().f_locals['x']"):
            self.check(f"def f(a):\n    x = 5\n    return [x, {call}]\n", 0)

    def test_keeps_what_an_await_or_yield_would_separate(self):
        self.check("""
            def g(a):
                x = a
                yield 1
                y = yield 2
                return y
            def f(a):
                return list(g(a))
            """, 0)
        self.check("""
            async def g(a):
                x = await h(a)
                return x
            async def h(a):
                return log(a)
            def f(a):
                import asyncio
                return asyncio.run(g(a))
            """, 0)

    def test_keeps_string_that_would_become_the_docstring(self):
        self.check("""
            def f(a):
                x = 'text'
                x
                return f.__doc__
            """, 0)

    def test_keeps_variables_of_modules_and_classes(self):
        self.check("""
            x = log(1)
            y = x
            class C:
                z = log(2) in (2,)
                if z: pass
            def f(a):
                return C.z
            """, 0)

    def test_keeps_expression_too_high_to_nest(self):
        # The name itself is a node, and so is its context.
        highest = "not " * (inline_variables.MAX_HEIGHT - 2) + "a"
        self.check(f"def f(a):\n    x = {highest}\n    return [x]\n", 1)
        self.check(f"def f(a):\n    x = not {highest}\n    return [x]\n", 0)


class ProgramTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name, "root")
        self.output = pathlib.Path(scratch.name, "output")
        self.root.mkdir()

    def program(self, content: bytes, name: str = "package/module.py"
                ) -> subprocess.CompletedProcess[str]:
        module = self.root / name
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_bytes(content)
        return self.arguments(f"--root={self.root}",
                              f"--output_dir={self.output}", str(module))

    def arguments(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, PROGRAM, *arguments],
                              capture_output=True, text=True, check=False)

    def test_writes_module_at_its_path_below_root(self):
        result = self.program(b"def f():\n  x = 1\n  return x\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        output = self.output / "package/module.py"
        self.assertEqual(output.read_text(), "def f():\n    return 1\n")
        self.assertEqual(result.stdout,
                         "package/module.py: 1 inlined, 22 bytes\n")
        self.assertEqual(os.listdir(output.parent), ["module.py"])

    def test_replaces_what_an_earlier_run_wrote(self):
        self.program(b"x = 1\n")
        self.assertEqual(self.program(b"x = 2\n").returncode, 0)
        self.assertEqual((self.output / "package/module.py").read_text(),
                         "x = 2\n")

    def test_honours_declared_encoding_and_writes_utf8(self):
        self.program("# coding: latin-1\ndef f():\n x = '\u00e9'\n return x\n"
                     .encode("latin-1"))
        self.assertEqual((self.output / "package/module.py").read_bytes(),
                         "def f():\n    return '\u00e9'\n".encode())

    def test_leaves_module_with_nothing_to_inline_as_it_is(self):
        content = "# coding: latin-1\nx =  '\u00e9' # so\n".encode("latin-1")
        result = self.program(content)
        self.assertEqual((self.output / "package/module.py").read_bytes(),
                         content)
        self.assertEqual(result.stdout,
                         "package/module.py: 0 inlined, 32 bytes\n")

    def test_refuses_malformed_modules_with_65_and_one_line(self):
        for content in (b"def f(:\n", b"x = '\0'\n", b"x = '\xff'\n",
                        b"# coding: no-such\n", b"return 1\n",
                        b"x = " + b"(" * 500, b"-" * 100_000 + b"1",
                        b"x = " + b" + ".join([b"1"] * 30_000)):
            with self.subTest(content[:20]):
                result = self.program(content)
                self.assertEqual(result.returncode, 65, result.stderr[-500:])
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
                self.assertFalse(self.output.exists())

    def test_rewrites_modules_deeper_than_pythons_own_recursion_limit(self):
        deep = b"x = " + b" + ".join([b"1"] * 1200) + b"\n"
        for content in (deep, deep + b"def f():\n  x = 1\n  return x\n"):
            result = self.program(content)
            self.assertEqual(result.returncode, 0, result.stderr[-500:])

    def test_is_silent_about_warnings(self):
        result = self.program(b"def f():\n  x = 1\n  return x is 1, '\\d'\n")
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_reports_input_and_output_errors_with_74(self):
        missing = self.arguments(f"--root={self.root}",
                                 f"--output_dir={self.output}",
                                 f"{self.root}/none.py")
        self.assertEqual(missing.returncode, 74)
        self.assertIn("none.py", missing.stderr)
        self.output.write_text("in the way")
        self.assertEqual(self.program(b"").returncode, 74)

    def test_reports_wrong_usage_with_64(self):
        self.assertEqual(self.arguments().returncode, 64)
        outside = self.arguments(f"--root={self.root}",
                                 f"--output_dir={self.output}", PROGRAM)
        self.assertEqual(outside.returncode, 64)
        self.assertIn("is not below", outside.stderr)


class WarmTest(unittest.TestCase):
    """The same program as a warm task, and its worker played."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name, "root")
        self.output = pathlib.Path(scratch.name, "output")
        self.root.mkdir()
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(60)
        self.frames = self.channel.makefile("rb")
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, PROGRAM], pass_fds=[theirs.fileno()],
                env={"VIGIL_FD": str(theirs.fileno()), "VIGIL_FRAMES": "json"},
                stderr=subprocess.DEVNULL)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.channel.close)
        self.addCleanup(self.frames.close)
        self.addCleanup(self.process.kill)
        self.channel.sendall(b'{"hello":{"version":1}}\n')
        self.assertIn("hello", json.loads(self.frames.readline()))

    def run_job(self, text: str) -> dict[str, object]:
        """Returns the last frame of a job with that input."""
        frame = {"attempt_id": "1", "start": {"input": {"text": text}}}
        self.channel.sendall(json.dumps(frame).encode() + b"\n")
        self.assertEqual(json.loads(self.frames.readline()),
                         {"attempt_id": "1", "started": {}})
        last = json.loads(self.frames.readline())
        self.assertEqual(last.pop("attempt_id"), "1")
        return last

    def rewrite(self, name: str, content: bytes) -> dict[str, object]:
        (self.root / name).write_bytes(content)
        return self.run_job(json.dumps({
            "root": f"{self.root}", "output_dir": f"{self.output}",
            "module": f"{self.root / name}"}))

    def test_rewrites_one_module_after_another(self):
        deep = b"x = " + b" + ".join([b"1"] * 1200) + b"\n"
        for name in ("a.py", "b.py"):
            frame = self.rewrite(name, b"def f():\n  x = 1\n  return x\n")
            self.assertEqual(json.loads(frame["result"]["text"]),
                             {"module": name, "inlined": 1, "bytes": 22})
            self.assertEqual((self.output / name).read_text(),
                             "def f():\n    return 1\n")
            self.assertIn("result", self.rewrite("deep.py", deep))

    def test_refuses_malformed_modules_and_goes_on(self):
        # The last one is too deep unless the limit of an earlier job stays.
        for content in (b"def f(:\n", b"x = '\0'\n",
                        b"x = " + b" + ".join([b"1"] * 10_000)):
            frame = self.rewrite("a.py", content)
            self.assertEqual(frame["error"]["reason"], "REASON_INVALID_INPUT")
            self.assertIn("does not compile", frame["error"]["message"])
            self.assertIn("result", self.rewrite("b.py", b"x = 1\n"))
        self.assertEqual(os.listdir(self.output), ["b.py"])

    def test_refuses_other_inputs(self):
        outside = {"root": f"{self.root}", "output_dir": f"{self.output}",
                   "module": PROGRAM}
        for text, message in (
                ("x", "not JSON"), ("[]", "must have"),
                ('{"root": "/"}', "must have"),
                (json.dumps({**outside, "root": 1}), "must have"),
                (json.dumps(outside), "is not below")):
            frame = self.run_job(text)
            self.assertEqual(frame["error"]["reason"], "REASON_INVALID_INPUT")
            self.assertIn(message, frame["error"]["message"])

    def test_says_what_could_not_be_read(self):
        missing = {"root": f"{self.root}", "output_dir": f"{self.output}",
                   "module": f"{self.root}/none.py"}
        error = self.run_job(json.dumps(missing))["error"]
        self.assertNotIn("reason", error)
        self.assertIn("none.py", error["message"])


if __name__ == "__main__":
    unittest.main()

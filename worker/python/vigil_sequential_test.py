#!/usr/bin/python3
"""Proves that sequential pools give what Python's own pools give.

pool_scenarios.py runs with real processes, and again with the environment that
Vigil's worker makes for the policy SEQUENTIAL: each scenario must say the same.
What cannot be the same is looked at one by one, in small programs.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 60  # Seconds; a program that hangs is a failure.


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-B", *arguments], env=environment, text=True,
        capture_output=True, timeout=PATIENCE, check=False,
        stdin=subprocess.DEVNULL)


class ComparisonTest(unittest.TestCase):
    """Real pools and sequential ones, side by side."""

    def outcomes(self, method: str, *names: str, **environment: str):
        done = run(os.path.join(HERE, "pool_scenarios.py"), method, *names,
                   **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def compare(self, method: str, *names: str) -> None:
        real = self.outcomes(method, *names)
        sequential = self.outcomes(method, *names, PYTHONPATH=HERE,
                                   VIGIL_SEQUENTIAL="1")
        self.assertGreater(len(real), len(names) or 25)
        self.assertEqual(real.keys(), sequential.keys())
        for name in real.keys() - {"pid"}:
            with self.subTest(name):
                self.assertEqual(sequential[name], real[name])

    def test_A9_the_same_as_forked_pools(self):
        self.compare("fork")

    def test_A9_the_same_as_spawned_pools(self):
        # Few: a process that is spawned takes long to start.
        self.compare("spawn", "executor_pickles", "executor_initializes",
                     "executor_checks_its_arguments", "pool_pickles",
                     "pool_initializes")


class SequentialTest(unittest.TestCase):
    """What is not the same as in processes, and had better be said."""

    def said(self, body: str) -> list:
        """Runs a program, which fills the list `said` by its `body`."""
        with tempfile.TemporaryDirectory() as directory:
            program = pathlib.Path(directory) / "program.py"
            program.write_text(textwrap.dedent("""\
                import concurrent.futures, json, multiprocessing, os, signal
                import sys, threading, time
                from concurrent.futures import ProcessPoolExecutor
                said = []
                def say(x):
                    said.append(x)
                    return x
                def fail(x):
                    raise ValueError(x)
                """) + textwrap.dedent(body) + "\nprint(json.dumps(said))\n")
            done = run(str(program), PYTHONPATH=HERE, VIGIL_SEQUENTIAL="1")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_A9_items_run_here_one_after_another(self):
        self.assertEqual(self.said("""
            def here(_):
                return [os.getpid() == PID, threading.active_count(),
                        threading.current_thread() is threading.main_thread()]
            PID = os.getpid()
            with ProcessPoolExecutor(8) as it:
                said += it.map(here, range(3))
            with multiprocessing.get_context("forkserver").Pool(8) as it:
                said += it.map(here, range(3))
                said += it.imap_unordered(here, range(2))
            """), [[True, 1, True]] * 8)

    def test_A9_starts_no_process_and_opens_no_descriptor(self):
        self.assertEqual(self.said("""
            before = os.listdir("/proc/self/fd")
            os.fork = os.posix_spawn = None
            import _posixsubprocess
            _posixsubprocess.fork_exec = None
            pools = []
            for method in "fork", "spawn", "forkserver":
                context = multiprocessing.get_context(method)
                pools += [ProcessPoolExecutor(2, context), context.Pool(2)]
            for pool in pools:
                said += pool.map(abs, [-1])
            said.append(os.listdir("/proc/self/fd") == before)
            """), [1] * 6 + [True])

    def test_A9_pools_within_pools_end(self):
        self.assertEqual(self.said("""
            def deeper(depth):
                if not depth:
                    return 1
                with multiprocessing.Pool(2) as it:
                    with ProcessPoolExecutor(2) as other:
                        return sum(it.map(deeper, [depth - 1] * 2)) + sum(
                            other.map(deeper, [depth - 1]))
            said.append(deeper(3))
            """), [27])

    def test_A9_an_item_may_use_the_pool_that_it_is_in(self):
        self.assertEqual(self.said("""
            def again(n):
                return list(it.map(abs, range(n)))
            with ProcessPoolExecutor(2) as it:
                said += it.map(again, [2])
            with multiprocessing.Pool(2) as it:
                said += it.map(again, [3])
            """), [[0, 1], [0, 1, 2]])

    def test_C1_threads_with_pools_of_their_own_within_an_item_end(self):
        self.assertEqual(self.said("""
            def pooled(n):
                with ProcessPoolExecutor(2) as it:
                    return sum(it.map(abs, range(n)))
            def threaded(n):
                with concurrent.futures.ThreadPoolExecutor(6) as it:
                    return list(it.map(pooled, range(n)))
            with multiprocessing.Pool(2) as it:
                said += it.map(threaded, [4, 6])
            """), [[0, 0, 1, 3], [0, 0, 1, 3, 6, 10]])

    def test_items_of_one_pool_never_run_at_once(self):
        self.assertEqual(self.said("""
            def count(_):
                global running
                running += 1
                time.sleep(0.001)
                try:
                    return running
                finally:
                    running -= 1
            running = 0
            for pool in ProcessPoolExecutor(4), multiprocessing.Pool(4):
                with concurrent.futures.ThreadPoolExecutor(4) as it:
                    tries = [it.submit(lambda: list(pool.map(count, range(9))))
                             for _ in range(4)]
                said.append({n for each in tries for n in each.result()} == {1})
            """), [True, True])

    def test_imap_runs_when_asked_and_the_rest_at_join(self):
        self.assertEqual(self.said("""
            import itertools
            it = multiprocessing.Pool(2)
            endless = it.imap(say, itertools.count())
            next(endless), next(endless)
            said.append("then")
            it.terminate()
            it = multiprocessing.Pool(2)
            it.imap_unordered(say, "ab")
            said.append("not yet")
            it.close()
            it.join()
            """), [0, 1, "then", "not yet", "a", "b"])

    def test_imap_of_a_terminated_pool_does_not_wait(self):
        self.assertEqual(self.said("""
            with multiprocessing.Pool(2) as it:
                results = it.imap(abs, range(3))
                said.append(next(results))
            try:
                next(results)
            except ValueError as error:
                said.append(str(error))
            """), [0, "Pool not running"])

    def test_failures_for_which_a_real_pool_waits_for_ever(self):
        self.assertEqual(self.said("""
            class Stubborn(Exception):
                def __init__(self, one, two):
                    super().__init__(one + two)
            def stubborn(x):
                raise Stubborn(x, "!")
            def broken(x):
                raise OSError("no model")
            def tries(call, *args, **kwargs):
                try:
                    call(*args, **kwargs)
                except BaseException as error:
                    said.append(repr(error))
            with multiprocessing.Pool(2) as it:
                tries(it.apply_async(sys.exit, (3,)).get)
                tries(it.apply, stubborn, ("a",))
                tries(it.apply_async, abs, (1,), callback=broken)
                tries(it.apply, abs, (1,))
            tries(multiprocessing.Pool, 2, broken, (1,))
            """), ["SystemExit(3)", "Stubborn('a!')", "OSError('no model')",
                   "OSError('no model')"])

    def test_initializer_runs_once(self):
        self.assertEqual(self.said("""
            with multiprocessing.Pool(4, say, ("pool",)) as it:
                it.map(abs, range(4))
            with ProcessPoolExecutor(
                    4, initializer=say, initargs=("it",)) as it:
                list(it.map(abs, range(4)))
            """), ["pool", "it"])

    def test_what_a_signal_raises_reaches_the_caller(self):
        self.assertEqual(self.said("""
            def interrupted(_):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(60)
            def tries(call):
                try:
                    call(interrupted, range(2))
                except KeyboardInterrupt:
                    said.append("interrupted")
            signal.signal(signal.SIGINT, signal.default_int_handler)
            with ProcessPoolExecutor(2) as it:
                tries(it.submit)
                tries(it.map)
                said += it.map(abs, [1])
            with multiprocessing.Pool(2) as it:
                tries(it.map)
                tries(it.map_async)
                results = it.imap(interrupted, range(1))
                tries(lambda *_: next(results))
                tries(lambda *_: next(results))  # Is over, and does not wait.
                said += it.map(abs, [2])
            """), ["interrupted", "interrupted", 1, "interrupted",
                   "interrupted", "interrupted", "interrupted", 2])

    def test_a_warm_tasks_cancellation_reaches_the_caller_and_errors_wait(self):
        self.assertEqual(self.said("""
            class Cancelled(BaseException):
                __module__ = "vigil_task"
            class TaskError(Exception):
                __module__ = "vigil_task"
            class Other(BaseException):
                pass
            sys.modules["vigil_task"] = sys.modules["__main__"]
            def throw(error):
                raise error
            with ProcessPoolExecutor(2) as it:
                for error in TaskError(1), Other(2), Cancelled(3):
                    try:
                        say(repr(it.submit(throw, error).exception()))
                    except BaseException as error:
                        said.append(["raised", repr(error)])
            """), ["TaskError(1)", "Other(2)", ["raised", "Cancelled(3)"]])

    def test_callbacks_may_use_each_others_pools(self):
        self.assertEqual(self.said("""
            def run(own, other):
                def callback(value):
                    barrier.wait(60)  # Both pools have a callback now.
                    said.append(other.apply(abs, (value - 3,)))
                own.apply_async(abs, (1,), callback=callback)
            barrier = threading.Barrier(2)
            pools = multiprocessing.Pool(1), multiprocessing.Pool(1)
            threads = [threading.Thread(target=run, args=order, daemon=True)
                       for order in (pools, pools[::-1])]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            """), [2, 2])

    def test_pools_are_collected_without_the_cycle_collector(self):
        self.assertEqual(self.said("""
            import gc, weakref
            gc.disable()
            for opened in ProcessPoolExecutor, multiprocessing.Pool:
                pool = opened(1)
                list(pool.map(abs, range(3)))
                gone = weakref.ref(pool)
                del pool
                said.append(gone() is None)
            """), [True, True])


if __name__ == "__main__":
    unittest.main()

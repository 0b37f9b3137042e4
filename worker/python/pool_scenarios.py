"""Uses Python's pools of processes in many ways, and prints what came of each.

Usage: pool_scenarios.py METHOD [NAME...], METHOD a start method of processes.
Prints a JSON object: of each scenario, what it returned, or the type, message
and cause of what it raised. The output is the same with real pools and with
those that run in one process, which sitecustomize_test.py compares.
"""

import asyncio
import concurrent.futures
import functools
import json
import multiprocessing
import multiprocessing.pool
import os
import re
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, process

METHOD = "fork"
_given = None


# What items do.


def square(x):
    return x * x


def add(x, y=0):
    return x + y


def fail(x):
    raise KeyError(f"no song {x}")


def fail_odd(x):
    if x % 2:
        raise ValueError(f"{x} is odd")
    return x


def chained(_):
    try:
        fail(7)
    except KeyError as error:
        raise RuntimeError("while calibrating") from error


def leave(status):
    sys.exit(status)


def give_lambda(_):
    return lambda: 0


class Stubborn(Exception):
    """Cannot be unpickled: its __init__ wants more than it gives."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def fail_stubbornly(_):
    raise Stubborn(1, 2)


class Private(Exception):
    """Cannot be pickled."""

    def __reduce__(self):
        raise TypeError("private")


def fail_privately(_):
    raise Private()


def append(numbers):
    numbers.append(len(numbers))
    return numbers


def remember(value):
    global _given
    _given = value


def given(x):
    return _given, x


def initializer_fails():
    raise OSError("no model")


def inner_pool(n):
    with executor(2) as inner:
        return list(inner.map(square, range(n)))


# What the scenarios stand on.


def executor(*args, **kwargs):
    kwargs.setdefault("mp_context", multiprocessing.get_context(METHOD))
    return ProcessPoolExecutor(*args, **kwargs)


def pool(*args, **kwargs):
    return multiprocessing.get_context(METHOD).Pool(*args, **kwargs)


def described(error):
    cause = str(error.__cause__ or "").strip().splitlines()
    return [type(error).__module__, type(error).__qualname__, str(error),
            type(error.__cause__).__qualname__, cause[-2:]]


def outcome(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except BaseException as error:  # pylint: disable=broad-except
        return described(error)


SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


# ProcessPoolExecutor


@scenario
def executor_maps_in_order():
    with executor(2) as it:
        return [list(it.map(square, range(9))),
                list(it.map(square, range(9), chunksize=4)),
                list(it.map(add, range(5), range(3))),
                list(it.map(square, [])),
                list(it.map(square, range(3), timeout=60))]


@scenario
def executor_gives_futures():
    with executor(2) as it:
        called = []
        future = it.submit(add, 3, y=4)
        future.add_done_callback(lambda f: called.append(f.result()))
        concurrent.futures.wait([future])
        futures = [it.submit(square, n) for n in range(4)]
        done = sorted(f.result() for f in
                      concurrent.futures.as_completed(futures))
        return [future.result(timeout=60), future.exception(), future.done(),
                future.cancelled(), future.running(), future.cancel(), called,
                done]


@scenario
def executor_takes_names_that_it_uses_itself():
    with executor(1) as it:
        return it.submit(dict, fn=1, self=2).result()


@scenario
def executor_raises_what_an_item_raised():
    with executor(2) as it:
        return [outcome(it.submit(f, 3).result)
                for f in (fail, fail_odd, chained, leave, fail_privately)] + [
                    outcome(lambda: list(it.map(fail_odd, range(4)))),
                    outcome(it.submit(square, 3).result)]


@scenario
def executor_maps_up_to_a_failure():
    with executor(2) as it:
        results, seen = it.map(fail_odd, [0, 2, 3, 4]), []
        try:
            for result in results:
                seen.append(result)
        except ValueError as error:
            seen.append(str(error))
        return seen + [next(results, "end")]


@scenario
def executor_pickles():
    with executor(2) as it:
        numbers = [1]
        return [it.submit(append, numbers).result(), numbers,
                outcome(it.submit(lambda: 0).result)[1:3],
                outcome(it.submit(square, threading.Lock()).result)[1:4],
                outcome(it.submit(give_lambda, 1).result)[1:4],
                outcome(it.submit(square, 3).result)]


@scenario
def executor_breaks_by_what_cannot_be_unpickled():
    with executor(1) as it:
        return [outcome(it.submit(fail_stubbornly, 1).result)[1:],
                outcome(it.submit, square, 1)[1:3]]


@scenario
def executor_initializes():
    with executor(1, initializer=remember, initargs=("song",)) as it:
        return list(it.map(given, range(2)))


@scenario
def executor_breaks_by_its_initializer():
    with executor(1, initializer=initializer_fails) as it:
        first = outcome(it.submit(square, 1).result)
        return [first, outcome(it.submit, square, 1),
                isinstance(process.BrokenProcessPool(),
                           concurrent.futures.BrokenExecutor)]


@scenario
def executor_checks_its_arguments():
    fork = multiprocessing.get_context("fork")
    spawn = multiprocessing.get_context("spawn")
    calls = [
        {"max_workers": 0}, {"max_workers": -1}, {"max_workers": "2"},
        {"mp_context": "spawn"}, {"initializer": 7},
        {"max_tasks_per_child": "a", "mp_context": spawn},
        {"max_tasks_per_child": 0, "mp_context": spawn},
        {"max_tasks_per_child": 1, "mp_context": fork},
        {"workers": 1}]
    with executor(1) as it:
        return [outcome(ProcessPoolExecutor, **call)[1:3] for call in calls] + [
            outcome(it.map, square, [1], chunksize=0),
            outcome(it.map, square, 7), outcome(it.submit)]


@scenario
def executor_ends():
    it = executor(2)
    future = it.submit(square, 5)
    it.shutdown()
    it.shutdown(wait=False, cancel_futures=True)
    return [future.result(), outcome(it.submit, square, 1),
            outcome(it.map, square, [1])]


@scenario
def executor_serves_asyncio():
    async def main():
        loop = asyncio.get_running_loop()
        with executor(2) as it:
            return await asyncio.gather(
                *(loop.run_in_executor(it, square, n) for n in range(5)),
                loop.run_in_executor(it, fail, 1), return_exceptions=True)
    *values, error = asyncio.run(main())
    return values + described(error)


@scenario
def executor_can_be_derived_from():
    class Derived(ProcessPoolExecutor):
        """Counts."""
        count = 0

        def submit(self, fn, /, *args, **kwargs):
            self.count += 1
            return super().submit(fn, *args, **kwargs)

    with Derived(2, multiprocessing.get_context(METHOD)) as it:
        return [list(it.map(square, range(4))), it.count,
                isinstance(it, concurrent.futures.Executor),
                isinstance(it, process.ProcessPoolExecutor),
                concurrent.futures.ProcessPoolExecutor is ProcessPoolExecutor]


@scenario
def executor_in_an_item():
    with executor(2) as it:
        return list(it.map(inner_pool, range(3)))


# multiprocessing.Pool


@scenario
def pool_maps_in_order():
    with pool(2) as it:
        return [it.map(square, range(9)), it.map(square, range(9), 4),
                it.map(square, iter([1, 2])), it.map(square, []),
                it.starmap(add, [(1, 2), (3,)]),
                it.map(functools.partial(add, 7), range(3)),
                it.apply(add, (1,), {"y": 2})]


@scenario
def pool_gives_results():
    with pool(2) as it:
        called = []
        result = it.apply_async(square, (3,), callback=called.append)
        failed = it.apply_async(fail, (3,), callback=called.append,
                                error_callback=lambda e:
                                called.append(described(e)))
        mapped = it.map_async(square, range(3), callback=called.append)
        starred = it.starmap_async(add, [(1, 2)])
        outcomes = [result.get(timeout=60), outcome(failed.get),
                    mapped.get(60), starred.get(60)]
        for each in (result, failed, mapped):
            each.wait(60)
        it.close()
        it.join()  # Callbacks have run.
        return outcomes + [
            result.ready(), result.successful(), failed.ready(),
            failed.successful(), mapped.successful(), sorted(called, key=str)]


@scenario
def pool_iterates():
    with pool(2) as it:
        timed = it.imap(square, range(2))
        return [list(it.imap(square, range(5))),
                list(it.imap(square, range(5), chunksize=2)),
                sorted(it.imap_unordered(square, range(5))),
                sorted(it.imap_unordered(square, range(5), chunksize=2)),
                list(it.imap(square, [])), timed.next(timeout=60),
                timed.next(60), outcome(timed.next)]


@scenario
def pool_iterates_over_failures():
    def broken():
        yield 2
        raise OSError("disk gone")
    with pool(2) as it:
        lists = []
        for results in (it.imap(fail_odd, range(4)),
                        it.imap(fail_odd, range(5), chunksize=2),
                        it.imap(square, broken())):
            seen = []
            for _ in range(6):
                seen.append(outcome(next, results))
            lists.append(seen)
        return lists


@scenario
def pool_finishes_what_imap_began():
    it = pool(2)
    results = it.imap(square, range(4))
    rest = it.imap(square, range(3))
    first = next(results)
    it.close()
    it.join()
    return [first, list(results), list(rest)]


@scenario
def pool_raises_what_an_item_raised():
    with pool(2) as it:
        return [outcome(it.apply, f, (3,)) for f in
                (fail, fail_odd, chained)] + [
                    outcome(it.map, fail_odd, range(3)),
                    outcome(it.map, fail_odd, range(3), 1),
                    outcome(it.apply, fail_privately, (1,))]


@scenario
def pool_pickles():
    with pool(2) as it:
        numbers = [1]
        return [it.apply(append, (numbers,)), numbers,
                outcome(it.apply, lambda: 0)[1:],
                outcome(it.apply, square, (threading.Lock(),))[1:],
                outcome(it.apply, give_lambda, (1,))[1:],
                outcome(it.apply, square, (3,))]


@scenario
def pool_initializes():
    with pool(1, remember, ("song",)) as it:
        return it.map(given, range(2))


@scenario
def pool_checks_its_arguments():
    calls = [{"processes": 0}, {"processes": -1}, {"processes": "2"},
             {"processes": 1.5}, {"initializer": 7},
             {"processes": 1, "maxtasksperchild": 0},
             {"processes": 1, "maxtasksperchild": "a"}, {"workers": 1}]
    with pool(1) as it:
        return [outcome(pool, **call)[1:3] for call in calls] + [
            outcome(it.map, square, 7), outcome(it.imap, square, [1], 0),
            outcome(it.imap_unordered, square, [1], 0),
            outcome(multiprocessing.pool.Pool, 1, context="spawn")]


@scenario
def pool_ends():
    it = pool(2)
    still = outcome(it.join)
    it.close()
    calls = [outcome(call, square, [1]) for call in (
        it.map, it.imap, it.imap_unordered, it.apply, it.apply_async,
        it.map_async)]
    it.join()
    again = outcome(it.__enter__)
    with pool(2) as other:
        pass
    other.join()
    return [still, calls, again, outcome(other.map, square, [1]),
            outcome(it.__reduce__), repr(other)]


@scenario
def pool_is_one():
    with multiprocessing.Pool(1) as it, multiprocessing.pool.Pool(1) as other:
        return [it.map(square, [3]), other.map(square, [4]),
                isinstance(it, multiprocessing.pool.Pool),
                isinstance(it, multiprocessing.pool.ThreadPool)]


# Pools of threads


@scenario
def threads_stay_threads():
    barrier = threading.Barrier(2)
    with multiprocessing.pool.ThreadPool(2) as it:
        met = it.map(lambda _: barrier.wait(60), range(2), 1)
        iterated = list(it.imap(square, range(4)))
    with concurrent.futures.ThreadPoolExecutor(2) as it:
        met += it.map(lambda _: barrier.wait(60), range(2))
    return [sorted(met), iterated]


def main():
    global METHOD
    METHOD = sys.argv[1]
    multiprocessing.set_start_method(METHOD)
    outcomes = {"pid": os.getpid()}
    for name in sys.argv[2:] or SCENARIOS:
        text = json.dumps(outcome(SCENARIOS[name]))
        outcomes[name] = json.loads(re.sub("0x[0-9a-f]+", "0x", text))
    print(json.dumps(outcomes, indent=1))


if __name__ == "__main__":
    main()

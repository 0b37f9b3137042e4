"""Opens a pool inside a task and prints the sorted squares of 0 to N - 1.

Usage: pools.py KIND N
KIND is executor-fork, executor-spawn, executor-forkserver (a pool of two
processes of concurrent.futures), pool or pool-spawn (of multiprocessing),
async (run_in_executor), or threads (each item of a pool of threads opens
another one). A pool that hangs is ended by SIGALRM after a minute.
"""
import asyncio
import concurrent.futures
import multiprocessing
import signal
import sys

WORKERS = 2
SECONDS_MAX = 60


def square(number: int) -> int:
    return number * number


def executor(method: str | None = None) -> concurrent.futures.Executor:
    return concurrent.futures.ProcessPoolExecutor(
        WORKERS, multiprocessing.get_context(method), signal.alarm,
        (SECONDS_MAX,))  # Workers do not inherit the alarm.


def square_in_threads(number: int) -> int:
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as inner:
        return inner.submit(square, number).result()


async def square_all(count: int) -> list[int]:
    loop = asyncio.get_running_loop()
    with executor() as pool:
        return await asyncio.gather(
            *(loop.run_in_executor(pool, square, n) for n in range(count)))


def squares(kind: str, count: int) -> list[int]:
    name, _, method = kind.partition("-")
    if name == "executor":
        with executor(method) as pool:
            return list(pool.map(square, range(count)))
    if name == "pool":
        context = multiprocessing.get_context(method or None)
        with context.Pool(WORKERS, signal.alarm, (SECONDS_MAX,)) as pool:
            return pool.map(square, range(count))
    if name == "threads":
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(square_in_threads, range(count)))
    if name == "async":
        return asyncio.run(square_all(count))
    sys.exit(f"no such kind: {kind}")


if __name__ == "__main__":
    signal.alarm(SECONDS_MAX)
    print(sorted(squares(sys.argv[1], int(sys.argv[2]))))

"""Runs Python's pools of processes in the calling process, item after item.

Loaded by sitecustomize.py when a task whose policy is SEQUENTIAL imports
`concurrent.futures.process` or `multiprocessing.pool`; patch() changes their
classes in place, so that subclasses and isinstance() stay what they are.
Everything else stays the library's own: its methods, its results and its
worker function, which finds both ends of its queues here. What goes through a
queue is pickled and unpickled, and so equals what a process would have got and
given; nothing is locked while a callback runs.

What cannot be the same: an item is done when submit() or apply_async() returns,
so no timeout expires and nothing is cancelled; an item of imap() runs when it
is asked for, or at join(); what an item or an initializer does to its process
(globals, signals, os._exit) it does to the caller's.
"""

import functools
import io
import os
import sys
import threading
import traceback
from multiprocessing.reduction import ForkingPickler

# A line of the report, in bytes: it is written by one write(2), which then
# cannot mix with that of another process.
REPORT_LINE_MAX = 512
# A report's line gives this much to the program's name, in bytes.
_PROGRAM_MAX = 128
# Call sites that are remembered, so as to warn of each once: code that is made
# up as it runs has any number of them.
_WARNED_MAX = 1000

_REPORT = os.environ.get("VIGIL_REPORT")
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_warned = set()

_loads = ForkingPickler.loads


def _dumps(value):
    # Not ForkingPickler.dumps, whose view of a buffer may be collected after
    # its buffer: that ends Python 3.12 by a signal.
    buffer = io.BytesIO()
    ForkingPickler(buffer).dump(value)
    return buffer.getvalue()


# Who opens pools.


def _is_library(file):
    """Whether a file is of Python itself, and not of a package put into it."""
    if file.startswith("<frozen ") or file == __file__:
        return True
    return file.startswith(_LIBRARY) and not any(
        part in file for part in ("site-packages", "dist-packages"))


def _place():
    """Returns file:line of the innermost caller outside the library.

    A file beside the program, or below, is named from there.
    """
    frame = sys._getframe(1)
    while frame.f_back and _is_library(frame.f_code.co_filename):
        frame = frame.f_back
    file = frame.f_code.co_filename
    home = os.path.dirname(os.path.abspath((sys.argv or [""])[0])) + os.sep
    if file.startswith(home):
        file = file[len(home):]
    return f"{file}:{frame.f_lineno}"


def _escaped(text, size_max, keep_end=False):
    """Returns text as UTF-8 without tabs and newlines, in size_max bytes."""
    for char, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"),
                         ("\r", "\\r")):
        text = text.replace(char, escape)
    data = text.encode("utf-8", "backslashreplace")
    data = data[-size_max:] if keep_end else data[:size_max]
    return data.decode("utf-8", "ignore").encode()  # No half characters.


def _note_opening(call):
    """Warns of a pool that is opened, and reports it; never raises."""
    try:
        place = _place()
        name = os.path.basename((sys.argv or [""])[0])
        if name in ("", "-", "-c", "-m"):
            name = os.path.basename(sys.executable)
        line = b"sequential\t%s\t%s\t" % (
            _escaped(name, _PROGRAM_MAX), call.encode())
        where = _escaped(place, REPORT_LINE_MAX - len(line) - 1, keep_end=True)
        if (sys.__stderr__ and (call, place) not in _warned
                and len(_warned) < _WARNED_MAX):
            _warned.add((call, place))
            # Not by sys.stderr: that may be what a program looks at itself.
            os.write(2, b"vigil: %s at %s runs in this process, in order "
                        b"(on_nested_pool SEQUENTIAL)\n" % (
                            call.encode(), where))
    except Exception:  # pylint: disable=broad-except
        pass
    try:
        if _REPORT:
            # O_NONBLOCK: a pipe that nobody reads must not hold the task up.
            report = os.open(_REPORT, os.O_WRONLY | os.O_APPEND | os.O_CREAT |
                             os.O_NONBLOCK, 0o600)
            try:
                os.write(report, line + where + b"\n")
            finally:
                os.close(report)
    except Exception:  # pylint: disable=broad-except
        pass


# One item.


class _OneItem:
    """Both queues of the library's worker function, for one item."""

    def __init__(self, item):
        self._item = item
        self.reply = None   # Pickled.
        self.reply_object = None

    def get(self, block=True):
        """Returns the item, and then None, which ends a worker."""
        del block
        item, self._item = self._item, None
        return item

    def put(self, reply):
        if self.reply is None:  # After it comes what a worker says at its end.
            self.reply = _dumps(reply)
            self.reply_object = reply


class _Interrupts:
    """Finds exceptions that were meant for the process, not for its item.

    Python raises them wherever the process is: KeyboardInterrupt, and Cancelled
    of a warm task. A worker function would keep
    them as the result of an item, which the caller may never look at.
    """

    def __init__(self):
        self._found = None

    def watch(self, function):
        def watched(*args, **kwargs):
            try:
                return function(*args, **kwargs)
            except Exception:
                raise
            except BaseException as error:
                if (isinstance(error, KeyboardInterrupt) or
                        type(error).__module__ == "vigil_task"):
                    self._found = error
                raise
        return watched

    def throw(self):
        if self._found is not None:
            try:
                raise self._found
            finally:
                self._found = None  # Its traceback holds this frame.


# concurrent.futures.ProcessPoolExecutor


class _Executor:
    """What ProcessPoolExecutor gets instead of its own methods."""

    def __init__(self, max_workers=None, mp_context=None, initializer=None,
                 initargs=(), *, max_tasks_per_child=None):
        from concurrent.futures import process
        if max_workers is None:
            max_workers = os.cpu_count() or 1
        elif max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if mp_context is None:
            mp_context = process.mp.get_context(
                None if max_tasks_per_child is None else "spawn")
        start_method = mp_context.get_start_method(allow_none=False)
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if max_tasks_per_child is not None:
            if not isinstance(max_tasks_per_child, int):
                raise TypeError("max_tasks_per_child must be an integer")
            if max_tasks_per_child <= 0:
                raise ValueError("max_tasks_per_child must be >= 1")
            if start_method == "fork":
                raise ValueError("max_tasks_per_child is incompatible with"
                                 " the 'fork' multiprocessing start method;"
                                 " supply a different mp_context.")
        self._max_workers = max_workers
        self._mp_context = mp_context
        self._initializer = initializer
        self._initargs = initargs
        self._max_tasks_per_child = max_tasks_per_child
        self._processes = {}
        self._broken = False
        self._shutdown_thread = False
        self._shutdown_lock = threading.Lock()
        # Held while an item runs, in case several threads have one; an item may
        # itself give items to its pool.
        self._turn = threading.RLock()
        _note_opening("ProcessPoolExecutor")

    def submit(self, fn, /, *args, **kwargs):
        from concurrent.futures import process
        with self._shutdown_lock:
            if self._broken:
                raise process.BrokenProcessPool(self._broken)
            if self._shutdown_thread:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if process._global_shutdown:
                raise RuntimeError("cannot schedule new futures after "
                                   "interpreter shutdown")
        future = process._base.Future()
        future.set_running_or_notify_cancel()
        try:
            call = _dumps(process._CallItem(0, fn, args, kwargs))
        except Exception as error:  # pylint: disable=broad-except
            error.__cause__ = process._RemoteTraceback(
                f'\n"""\n{traceback.format_exc()}"""')
            future.set_exception(error)
            return future
        try:
            with self._turn:
                result = _work(self, call)
        except process.BrokenProcessPool as error:
            future.set_exception(error)
            return future
        # From here without the lock: this calls callbacks.
        if result.exception:
            future.set_exception(result.exception)
        else:
            future.set_result(result.result)
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        del cancel_futures  # There are none that have not run.
        with self._shutdown_lock:
            self._shutdown_thread = True
        if wait:
            with self._turn:  # Of another thread's item.
                self._processes = None


def _work(executor, pickled_call):
    """Returns the _ResultItem of a call, or raises BrokenProcessPool."""
    from concurrent.futures import process
    if executor._broken:
        raise _broken(executor)
    try:
        call = _loads(pickled_call)
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()  # As the process does that dies of it.
        raise _broken(executor) from None
    interrupts = _Interrupts()
    call.fn = interrupts.watch(call.fn)
    initializer = executor._initializer
    if initializer is not None:
        initializer = interrupts.watch(initializer)
        executor._initializer = None  # Once, however it ends.
    queues = _OneItem(call)
    process._process_worker(queues, queues, initializer, executor._initargs)
    interrupts.throw()
    if queues.reply is None:  # The initializer failed.
        raise _broken(executor)
    try:
        return _loads(queues.reply)
    except Exception:  # pylint: disable=broad-except
        raise _broken(executor, traceback.format_exc())


def _broken(executor, cause=None):
    """Breaks an executor; returns the exception that the library would give."""
    from concurrent.futures import process
    with executor._shutdown_lock:
        executor._broken = ("A child process terminated abruptly, the process "
                            "pool is not usable anymore")
        executor._shutdown_thread = True
    error = process.BrokenProcessPool(
        "A process in the process pool was terminated abruptly while the "
        "future was running or pending.")
    if cause is not None:
        error.__cause__ = process._RemoteTraceback(f"\n'''\n{cause}'''")
    return error


# multiprocessing.Pool


class _NoWorker:
    """Stands where the library keeps a process, a thread or a queue."""

    exitcode = None
    _state = None

    def __init__(self, join=lambda: None):
        self._join = join

    def join(self, timeout=None):
        del timeout
        self._join()

    def put(self, item):
        pass

    def terminate(self):
        pass

    def is_alive(self):
        return False


class _Tasks:
    """The queue of a pool's tasks, which runs what is put into it.

    Tasks of imap() have a length that is not known yet: they run one by one as
    their iterator asks, so that it may be endless.
    """

    def __init__(self, cache, wrap_exception):
        self._cache = cache
        self._wrap_exception = wrap_exception
        self._turn = threading.RLock()  # As an executor's.
        self._later = []  # Iterators of imap() that are not at their end.

    def put(self, work):
        tasks, set_length = work
        if set_length is None:
            for task in tasks:
                self._run(task)
            return
        iterator = set_length.__self__
        iterator._vigil_run_next = self._run_next
        iterator._vigil_tasks = enumerate(tasks)
        iterator._vigil_count = 0
        self._later.append(iterator)

    def finish(self):
        while self._later:
            self._run_next(self._later[0])

    def drop(self):
        self._later.clear()

    def _run_next(self, iterator):
        """Runs the next task of an iterator; returns whether there was one."""
        with self._turn:
            if iterator not in self._later:
                return False
            for index, task in iterator._vigil_tasks:
                iterator._vigil_count = index + 1
                self._run(task)
                return True
            self._later.remove(iterator)
        iterator._set_length(iterator._vigil_count)
        return False

    def _run(self, task):
        try:
            with self._turn:
                outcome = self._outcome(task)
        except BaseException as error:
            self._tell(task, (False, error))  # So that nobody waits for it.
            raise
        self._tell(task, outcome)

    def _tell(self, task, outcome):
        result = self._cache.get(task[0])
        if result is not None:
            result._set(task[1], outcome)

    def _outcome(self, task):
        """Returns whether a task succeeded, and its value or its exception."""
        from multiprocessing import pool
        try:
            task = _loads(_dumps(task))
        except Exception as error:  # pylint: disable=broad-except
            return False, error
        queues = _OneItem(task)
        try:
            pool.worker(queues, queues, None, (), None, self._wrap_exception)
        except SystemExit as error:  # The library would wait for ever.
            return False, error
        try:
            return _loads(queues.reply)[2]
        except Exception:  # pylint: disable=broad-except
            # The library would wait for ever: rather as it was.
            success, value = queues.reply_object[2]
            return success, getattr(value, "exc", value)


def _pool_init(self, processes=None, initializer=None, initargs=(),
               maxtasksperchild=None, context=None):
    """What Pool gets as its __init__, for pools of processes."""
    from multiprocessing import pool
    self._pool = []
    self._state = pool.INIT
    self._ctx = context or pool.get_context()
    self._ctx.SimpleQueue  # pylint: disable=pointless-statement
    self._cache = {}
    self._maxtasksperchild = maxtasksperchild
    self._initializer = initializer
    self._initargs = initargs
    if processes is None:
        processes = os.cpu_count() or 1
    if processes < 1:
        raise ValueError("Number of processes must be at least 1")
    if maxtasksperchild is not None:
        if not isinstance(maxtasksperchild, int) or maxtasksperchild <= 0:
            raise ValueError("maxtasksperchild must be a positive int or None")
    if initializer is not None and not callable(initializer):
        raise TypeError("initializer must be a callable")
    self._processes = processes
    # The library sizes chunks by these.
    self._pool = [_NoWorker() for _ in range(processes)]
    self._taskqueue = _Tasks(self._cache, self._wrap_exception)
    self._change_notifier = self._worker_handler = _NoWorker()
    self._result_handler = _NoWorker()
    self._task_handler = _NoWorker(join=self._taskqueue.finish)
    self._terminate = self._taskqueue.drop
    _note_opening("multiprocessing.Pool")
    if initializer is not None:
        # The library would start processes that fail, for ever: we raise.
        initializer(*initargs)
    self._state = pool.RUN


def _patch_pool(module):
    library_init = module.Pool.__init__
    library_next = module.IMapIterator.next

    def __init__(self, processes=None, initializer=None, initargs=(),
                 maxtasksperchild=None, context=None):
        init = (library_init if isinstance(self, module.ThreadPool)
                else _pool_init)
        init(self, processes, initializer, initargs, maxtasksperchild, context)

    def next(self, timeout=None):  # pylint: disable=redefined-builtin
        run_next = getattr(self, "_vigil_run_next", None)
        if run_next is not None:
            while not self._items and run_next(self):
                pass
            if not self._items and self._index != self._length:
                raise ValueError("Pool not running")  # It was terminated.
        return library_next(self, timeout)

    _replace(module.Pool, "__init__", __init__)
    _replace(module.IMapIterator, "next", next)
    module.IMapIterator.__next__ = next


def _replace(cls, name, method):
    """Gives a class another method, which looks like the library's."""
    setattr(cls, name, functools.update_wrapper(method, getattr(cls, name)))


def patch(module):
    """Makes the pools of one of the two modules sequential."""
    is_pool = module.__name__ == "multiprocessing.pool"
    cls = module.Pool if is_pool else module.ProcessPoolExecutor
    if "_vigil_sequential" in vars(cls):
        return  # Another copy of us was first.
    cls._vigil_sequential = True
    if is_pool:
        _patch_pool(module)
        return
    for name in ("__init__", "submit", "shutdown"):
        _replace(cls, name, getattr(_Executor, name))

"""Does in Python tasks what Vigil can do only from within.

Vigil's worker puts this directory first on PYTHONPATH, and so Python imports
this file as it starts. VIGIL_SEQUENTIAL=1 makes pools of processes run in the
calling process (vigil_sequential.py), VIGIL_STACK_DUMP_SIGNAL=N makes signal N
write the stacks of all threads to stderr. Then the sitecustomize follows that
Python would have imported without us; what fails here is a line on stderr and
never the end of a task.

This runs at the start of every Python process of a task: it imports nothing
that is not there already, and is small, since there may be no place for its
bytecode.
"""
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_POOL_MODULES = ("concurrent.futures.process", "multiprocessing.pool")


def _complain(error):
    try:
        text = " ".join("vigil: {}: {}".format(
            type(error).__name__, error).split())
        sys.stderr.write(text + "\n")
    except Exception:  # pylint: disable=broad-except
        pass  # stderr is closed, or full.


def _make_sequential(module):
    """Changes a module of pools, whose own code has run."""
    try:
        name = "vigil_sequential"
        if sys.version_info < (3, 8):
            raise RuntimeError("pools need Python 3.8 to run in this process")
        if name not in sys.modules:
            # By its path: our directory has left sys.path.
            from importlib import util
            spec = util.spec_from_file_location(
                name, os.path.join(_HERE, name + ".py"))
            sequential = util.module_from_spec(spec)
            spec.loader.exec_module(sequential)
            sys.modules[name] = sequential
        sys.modules[name].patch(module)
    except Exception as error:  # pylint: disable=broad-except
        _complain(error)


class _PoolLoader:
    """Loads a module of pools as its own loader does, and then changes it."""

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        # Who asks afterwards (inspect, pickle, reload) finds the real loader.
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _make_sequential(module)


class _PoolFinder:
    """Waits for the import of a module of pools: most tasks have none."""

    def find_spec(self, name, path=None, target=None):
        if name not in _POOL_MODULES:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _PoolLoader(spec.loader)
                return spec
        return None


def _catch_pools():
    if os.environ.get("VIGIL_SEQUENTIAL") == "1" and sys.version_info > (3,):
        sys.meta_path.insert(0, _PoolFinder())
        for name in _POOL_MODULES:  # A .pth file may have been first.
            if name in sys.modules:
                _make_sequential(sys.modules[name])


def _dump_stacks_on_signal():
    number = os.environ.get("VIGIL_STACK_DUMP_SIGNAL")
    if number:
        import faulthandler
        faulthandler.register(int(number), all_threads=True, chain=False)


def _hand_over():
    """Imports the next sitecustomize, whose errors are its own."""
    others = [path for path in sys.path
              if path not in (_HERE, os.path.dirname(__file__))]
    if len(others) == len(sys.path):
        return  # Not imported from a path: the next one would be we again.
    sys.path[:] = others
    ours = sys.modules.pop(__name__)
    try:
        __import__(__name__)
    except ImportError as error:
        if error.name != __name__:
            raise
        sys.modules[__name__] = ours


for _step in (_catch_pools, _dump_stacks_on_signal):
    try:
        _step()
    except Exception as _error:  # pylint: disable=broad-except
        _complain(_error)
if __name__ == "sitecustomize":
    _hand_over()

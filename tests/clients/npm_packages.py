"""Finds what tests/clients/setup.sh installed with npm, for tests.

A test that needs it fails with NotInstalled, which says what to do.
"""
import hashlib
import os
import pathlib
import pwd

LOCK = pathlib.Path("tests/clients/package-lock.json").absolute()


class NotInstalled(AssertionError):
    """The packages of the lock file are not on this machine."""


def root():
    """The directory that holds `node` and `node_modules`."""
    cache = os.environ.get("VIGIL_NPM_CACHE") or os.path.join(
        pwd.getpwuid(os.getuid()).pw_dir, ".cache/vigil-npm")
    found = pathlib.Path(cache) / hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not (found / "node").exists() or not (found / "node_modules").is_dir():
        raise NotInstalled(
            f"the npm packages of {LOCK.name} are not in {found}: tests/run.sh "
            "installs them, whatever targets it is given")
    return found


def node(script, *arguments):
    """The command line that runs a script, of an installed package or by its
    absolute path."""
    at = root()
    return [str(at / "node"), str(at / "node_modules" / script),
            *map(str, arguments)]

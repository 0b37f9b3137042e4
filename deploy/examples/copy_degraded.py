#!/usr/bin/python3
"""Copies the modules of the quick start whose jobs gave their fallback.

Usage: copy_degraded.py RESULTS
Reads the lines of `vigil batch -o json --fallback=input`. The result of a
degraded job is its own input, {"root": ..., "output_dir": ..., "module": ...}:
nothing else is needed to put the module, unchanged, where its rewritten version
would be. Prints how many there were; a file that is there already is never
overwritten, since a job that failed must not have left one.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys


def destination(root: str, output_dir: str, module: str) -> pathlib.Path:
    """Returns where a module of `root` goes; raises ValueError if nowhere."""
    relative = os.path.relpath(os.path.abspath(module), os.path.abspath(root))
    if relative.split(os.sep)[0] in (os.curdir, os.pardir):
        raise ValueError(f"{module} is not below {root}")
    return pathlib.Path(output_dir, relative)


def copy(root: str, output_dir: str, module: str) -> None:
    path = destination(root, output_dir, module)
    content = pathlib.Path(module).read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "xb") as output:
        output.write(content)


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: copy_degraded.py RESULTS", file=sys.stderr)
        return 64
    copied = 0
    try:
        with open(sys.argv[1], encoding="utf-8") as results:
            for line in results:
                record = json.loads(line)
                if record.get("degraded"):
                    copy(**json.loads(record["result"]))
                    copied += 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"copy_degraded: {type(error).__name__}: {error}",
              file=sys.stderr)
        return 1
    print(copied)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Prints which of the modules listed in a file do not compile.

Reads LIST, one path a line, and prints those that compile() refuses, in the
same order: the independent answer to what inline_variables.py calls malformed.
"""

from __future__ import annotations

import pathlib
import sys
import warnings


def compiles(path: str) -> bool:
    content = pathlib.Path(path).read_bytes()
    try:
        compile(content, path, mode="exec", flags=0, dont_inherit=True)
    except Exception:  # Whatever it is: this module cannot be used.
        return False
    return True


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: find_malformed.py LIST", file=sys.stderr)
        return 64
    warnings.filterwarnings("ignore")
    try:
        with open(sys.argv[1], encoding="utf-8",
                  errors="surrogateescape") as paths:
            malformed = [path for path in paths.read().split("\n")
                         if path and not compiles(path)]
    except OSError as error:
        print(f"find_malformed: {error}", file=sys.stderr)
        return 74
    sys.stdout.reconfigure(errors="surrogateescape")
    for path in malformed:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

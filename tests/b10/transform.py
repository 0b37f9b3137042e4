"""The warm task of the reproduction: transforms one generated program.

Its input is JSON: {"number": 12, "program": "...", "exhausted": 1}. The program
is Python, and its sums of constants are worked out; one that does not compile
is malformed. The first `exhausted` times that it is begun the task fails as
Python does where it cannot have another thread: this is injected, and so is its
cure.
"""
import ast
import os
import pathlib

import vigil_task

# Where it counts, by empty files, how often an item was begun: the number of an
# attempt also grows with those that were never begun.
JOURNAL = "B10_JOURNAL"

# What threading.Thread.start() says when the system refuses it.
EXHAUSTED = "can't start new thread"


class _Fold(ast.NodeTransformer):
    """Works sums of constants out, from the innermost on."""

    def visit_BinOp(self, node):  # pylint: disable=invalid-name
        self.generic_visit(node)
        if isinstance(node.op, ast.Add) and all(
                isinstance(side, ast.Constant) and type(side.value) is int
                for side in (node.left, node.right)):
            return ast.copy_location(
                ast.Constant(node.left.value + node.right.value), node)
        return node


def transform(program: str) -> str:
    """The program with its sums worked out; raises if it is malformed."""
    return ast.unparse(_Fold().visit(ast.parse(program)))


def begin(journal: str, number: int) -> int:
    """Counts the beginning of an item; returns how often it was begun."""
    before = 0
    while True:
        try:
            os.close(os.open(pathlib.Path(journal, f"{number}.{before}"),
                             os.O_CREAT | os.O_EXCL))
            return before
        except FileExistsError:
            before += 1


def run(job: vigil_task.Job) -> str:
    """Does one job."""
    request = job.json()
    try:
        exhausted = request["exhausted"]
        if exhausted and begin(os.environ[JOURNAL],
                               request["number"]) < exhausted:
            raise RuntimeError(EXHAUSTED)
        return transform(request["program"])
    # A zero byte is a ValueError to some versions of Python.
    except (TypeError, KeyError, SyntaxError, ValueError) as error:
        raise vigil_task.InvalidInput(
            f"{type(error).__name__}: {error}") from None


if __name__ == "__main__":
    vigil_task.serve(run)

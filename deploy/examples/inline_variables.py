#!/usr/bin/python3
"""Inlines single-use local variables of one Python module.

Reads MODULE, rewrites its syntax tree and writes the result below OUTPUT_DIR,
at the path that MODULE has below ROOT; what has nothing to inline goes there as
it is written. A local goes when it is assigned once,
by `name = expression`, and read once, in the very next statement, and when
nothing that the program does can tell the difference:

- An expression that touches nothing (a constant, a parameter that never
  changes) may move anywhere in that statement.
- An expression whose value is surely a bool or a str may move to where the
  statement reads it first, before everything else.
- Any other value lives until its last reference goes, so it may move only to
  the beginning of a `return` or `raise` that ends the function, and only if
  the operation that takes it is the last one.

Nothing is moved into a loop, a `try`, a `with`, a lambda, a comprehension or
another scope, across an `await` or `yield`, or within a function that can look
at its own variables by name (`locals`, `eval`, `sys._getframe`...).

It runs as a command, and as a warm task of Vigil for one module after another,
whose input is JSON: {"root": ROOT, "output_dir": OUTPUT_DIR, "module": MODULE}.

Exit statuses are those of sysexits.h: 0, 64 wrong usage, 65 the module is not
valid Python, 70 the rewritten module does not compile (a bug here), 74 reading
or writing failed. A warm task says INVALID_INPUT instead of 64 and 65.
"""

from __future__ import annotations

import ast
import codecs
import collections
import functools
import gc
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any, Iterator, NoReturn, Optional

if TYPE_CHECKING:
    import vigil_task

# What compile() raises for a malformed module: SyntaxError; ValueError for null
# bytes and wrong encodings; the others for nesting beyond its limits.
MALFORMED = (SyntaxError, ValueError, RecursionError, MemoryError,
             OverflowError)

# Levels of nodes in an expression that may be moved, so that a chain of
# assignments does not nest more deeply than compile() allows. Readable lines
# have fewer.
MAX_HEIGHT = 20

# Python calls while the tree is rewritten. Trees that compile() accepts can be
# deeper than the default of 1000 allows Python code to follow. While it is
# parsed the default holds: it keeps the parser within its stack.
RECURSION_LIMIT = 20_000
PARSER_RECURSION_LIMIT = sys.getrecursionlimit()

# Functions that mention one of these may read variables by name.
INTROSPECTION = frozenset({
    "locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe",
    "f_locals"
})

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = FUNCTIONS + (ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp,
                      ast.DictComp, ast.GeneratorExp)
GUARDS = (ast.Try, getattr(ast, "TryStar", ast.Try), ast.With, ast.AsyncWith)
COMPOUND = frozenset({*FUNCTIONS, *GUARDS, ast.ClassDef, ast.If, ast.For,
                      ast.AsyncFor, ast.While, ast.Match})
SUSPENSIONS = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)


class Uses:
    """How often one function's own scope reads and binds each name."""

    def __init__(self, function: ast.AST) -> None:
        self.loads: collections.Counter[str] = collections.Counter()
        self.stores: collections.Counter[str] = collections.Counter()
        # Names that are also bound or mentioned in a way not counted above.
        self.others: set[str] = set()
        self.parameters = {
            node.arg for node in _children(function.args)
            if isinstance(node, ast.arg)
        }
        self.introspective = any(map(_looks_at_variables, _walk(function)))
        pending: list[ast.AST] = list(function.body)
        while pending:
            node = pending.pop()
            if isinstance(node, SCOPES):
                for inner in _walk(node):
                    self.others.update(_mentions(inner))
            elif isinstance(node, ast.Name):
                if isinstance(node.ctx, ast.Load):
                    self.loads[node.id] += 1
                elif isinstance(node.ctx, ast.Store):
                    self.stores[node.id] += 1
                else:
                    self.others.add(node.id)
            else:
                self.others.update(_mentions(node))
                pending.extend(_children(node))

    def is_candidate(self, name: str) -> bool:
        return (self.stores[name] == 1 and self.loads[name] == 1 and
                name not in self.others and name not in self.parameters and
                not name.startswith("__"))

    def is_constant_parameter(self, name: str) -> bool:
        return (name in self.parameters and self.stores[name] == 0 and
                name not in self.others)


def _children(node: ast.AST) -> list[ast.AST]:
    """Returns the nodes right under `node`, faster than ast can."""
    children: list[ast.AST] = []
    for value in vars(node).values():
        if isinstance(value, ast.AST):
            children.append(value)
        elif isinstance(value, list):
            children += [item for item in value if isinstance(item, ast.AST)]
    return children


def _walk(root: ast.AST) -> Iterator[ast.AST]:
    """Yields `root` and every node below, in no particular order."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending += _children(node)


def _looks_at_variables(node: ast.AST) -> bool:
    name = getattr(node, "id", getattr(node, "attr", None))
    return name in INTROSPECTION


def _mentions(node: ast.AST) -> Iterator[str]:
    """Yields the identifiers that `node` itself holds, children apart."""
    if isinstance(node, ast.keyword):
        return
    for field in ("id", "name", "asname", "names", "rest", "arg"):
        value = getattr(node, field, None)
        if isinstance(value, str):
            yield value.split(".")[0]
        elif isinstance(value, list):
            yield from (name for name in value if isinstance(name, str))


def _is_pure(node: ast.expr, uses: Uses) -> bool:
    """Whether evaluating it changes nothing, cannot fail, and can wait."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return (isinstance(node.operand, ast.Constant) and
                type(node.operand.value) in (int, float))
    if isinstance(node, ast.Name):
        return uses.is_constant_parameter(node.id)
    if isinstance(node, ast.Tuple):
        return all(_is_pure(element, uses) for element in node.elts)
    return False


def _is_plain(node: ast.expr) -> bool:
    """Whether its value is surely a bool or a str: no one sees it go."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    if isinstance(node, ast.Compare):
        return len(node.ops) == 1 and isinstance(
            node.ops[0], (ast.Is, ast.IsNot, ast.In, ast.NotIn))
    return isinstance(node, ast.JoinedStr)


def _height(node: ast.AST) -> int:
    return 1 + max(map(_height, _children(node)), default=0)


def _header(statement: ast.stmt) -> list[tuple[str, ast.expr]]:
    """The fields of a statement that run once, before anything under it."""
    fields: tuple[str, ...] = ()
    if isinstance(statement, (ast.Return, ast.Expr, ast.Assign,
                              ast.AugAssign)):
        fields = ("value",)
    elif isinstance(statement, ast.If):
        fields = ("test",)
    elif isinstance(statement, ast.Raise):
        fields = ("exc", "cause")
    return [(field, getattr(statement, field))
            for field in fields
            if getattr(statement, field) is not None]


def _first(node: ast.expr) -> Optional[ast.expr]:
    """The operand that is evaluated before anything else of `node`."""
    if isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        return node.value
    if isinstance(node, ast.Call):
        return node.func
    if isinstance(node, (ast.BinOp, ast.Compare)):
        return node.left
    if isinstance(node, ast.BoolOp):
        return node.values[0]
    if isinstance(node, ast.UnaryOp):
        return node.operand
    if isinstance(node, ast.IfExp):
        return node.test
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)) and node.elts:
        return node.elts[0]
    return None


def _holds_to_its_end(node: ast.expr) -> bool:
    """Whether `node` keeps its first operand until it has its own value."""
    if isinstance(node, ast.Compare):
        return len(node.ops) == 1
    return not isinstance(node, (ast.BoolOp, ast.IfExp, ast.Starred))


class _Replace(ast.NodeTransformer):
    """Replaces the one read of a name, outside f-strings and inner scopes."""

    def __init__(self, name: str, value: ast.expr) -> None:
        self.name = name
        self.value = value
        self.done = False

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, SCOPES + (ast.JoinedStr,)):
            return node
        if isinstance(node, ast.Name) and node.id == self.name:
            self.done = True
            return self.value
        return self.generic_visit(node)


class Inliner:
    """Inlines what can be inlined in one function's own scope."""

    def __init__(self, function: ast.AST) -> None:
        self.function = function
        self.inlined = 0
        self._rewrite(function.body, guarded=False)

    @functools.cached_property
    def uses(self) -> Uses:
        """Counted when the first pair of statements asks: most never do."""
        return Uses(self.function)

    def _rewrite(self, suite: list[ast.stmt], guarded: bool) -> None:
        # Backwards, so that a chain of assignments folds into its end.
        for i in range(len(suite) - 1, -1, -1):
            statement = suite[i]
            if isinstance(statement, SCOPES):
                continue
            if type(statement) in COMPOUND:
                inner = guarded or isinstance(statement, GUARDS)
                for child in _suites(statement):
                    self._rewrite(child, inner)
            if (isinstance(statement, ast.Assign) and i + 1 < len(suite) and
                    self._inline(statement, suite[i + 1], guarded)):
                del suite[i]
                self.inlined += 1

    def _inline(self, statement: ast.Assign, use: ast.stmt,
                guarded: bool) -> bool:
        """Moves the value that `statement` assigns into `use`, if it may."""
        # What costs least is asked first.
        target = statement.targets[0]
        header = _header(use)
        if (len(statement.targets) != 1 or not isinstance(target, ast.Name) or
                not header):
            return False
        name, value = target.id, statement.value
        # A string on its own could become the docstring.
        if isinstance(use, ast.Expr) and isinstance(use.value, ast.Name):
            return False
        leads = self._may_lead(name, value, use, guarded)
        if not leads and not isinstance(
                value, (ast.Constant, ast.UnaryOp, ast.Name, ast.Tuple)):
            return False
        if not any(isinstance(node, ast.Name) and node.id == name
                   for _, root in header for node in _walk(root)):
            return False
        if self.uses.introspective or not self.uses.is_candidate(name):
            return False
        if not leads and not _is_pure(value, self.uses):
            return False
        if _height(value) > MAX_HEIGHT or any(
                isinstance(node, SUSPENSIONS)
                for root in (value, *(root for _, root in header))
                for node in _walk(root)):
            return False
        replace = _Replace(name, value)
        for field, root in header:
            setattr(use, field, replace.visit(root))
        return replace.done


    def _may_lead(self, name: str, value: ast.expr, use: ast.stmt,
                  guarded: bool) -> bool:
        """Whether `use` begins with `name`, and may as well with `value`."""
        if isinstance(use, ast.AugAssign):
            return False
        node: Optional[ast.expr] = _header(use)[0][1]
        path: list[ast.expr] = []
        while node is not None and not isinstance(node, ast.Name):
            path.append(node)
            node = _first(node)
        if node is None or node.id != name:
            return False
        if _is_plain(value):
            return True
        ends = isinstance(use, ast.Return) or (isinstance(use, ast.Raise) and
                                               use.cause is None)
        return ends and not guarded and len(path) <= 1 and all(
            map(_holds_to_its_end, path))


def _suites(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        suite = getattr(statement, field, None)
        if isinstance(suite, list):
            yield suite
    for field in ("handlers", "cases"):
        for part in getattr(statement, field, ()):
            yield part.body


def _functions(suite: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yields the functions in `suite`, outer ones before inner ones."""
    for statement in suite:
        if isinstance(statement, FUNCTIONS):
            yield statement
        if type(statement) in COMPOUND:
            for child in _suites(statement):
                yield from _functions(child)


def inline_variables(tree: ast.Module) -> tuple[int, list[ast.stmt]]:
    """Rewrites `tree` in place.

    Returns how many variables went, and the statements of the module in which
    they were.
    """
    inlined, changed = 0, []
    for statement in tree.body:
        here = sum(Inliner(function).inlined
                   for function in _functions([statement]))
        if here:
            inlined += here
            changed.append(statement)
    return inlined, changed


def _unparse(source: bytes, tree: ast.Module,
             changed: list[ast.stmt]) -> bytes:
    """Returns the module with the changed statements of `tree` in it.

    The rest stays as it is written, comments included, where the source is
    UTF-8 without saying so.
    """
    lines = source.splitlines(keepends=True)
    if source.startswith(codecs.BOM_UTF8) or b"coding" in b"".join(lines[:2]):
        return (ast.unparse(tree) + "\n").encode()
    for statement in reversed(changed):
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno] + [each.lineno for each in decorators])
        lines[first - 1:statement.end_lineno] = [
            ast.unparse(statement).strip("\n").encode() + b"\n"]
    return b"".join(lines)


class Refused(Exception):
    """The job was not done; `status` is what the command exits with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _rewrite_source(source: bytes, module: str) -> tuple[bytes, int]:
    """Returns the rewritten module and how many variables went."""
    sys.setrecursionlimit(PARSER_RECURSION_LIMIT)
    try:
        tree = ast.parse(source, module)
        sys.setrecursionlimit(RECURSION_LIMIT)
        # Of the tree, since parsing the source again would cost more.
        compile(tree, module, "exec", dont_inherit=True)
    except MALFORMED as error:
        raise Refused(os.EX_DATAERR, f"{module}: does not compile: "
                      f"{type(error).__name__}: {error}") from None
    try:
        inlined, changed = inline_variables(tree)
        if not inlined:
            return source, 0
        rewritten = _unparse(source, tree, changed)
        compile(rewritten, module, "exec", dont_inherit=True)
    except MALFORMED as error:
        raise Refused(os.EX_SOFTWARE, f"{module}: rewritten: "
                      f"{type(error).__name__}: {error}") from None
    return rewritten, inlined


def _write(path: str, content: bytes) -> None:
    """Writes beside `path` and renames: no one sees half a module."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    partial = f"{path}.{os.getpid()}.partial"
    try:
        with open(partial, "wb") as output:
            output.write(content)
        os.replace(partial, path)
    except BaseException:
        if os.path.lexists(partial):
            os.unlink(partial)
        raise


def rewrite_module(root: str, output_dir: str,
                   module: str) -> dict[str, Any]:
    """Does one job; returns what there is to say of it."""
    relative = os.path.relpath(os.path.abspath(module), os.path.abspath(root))
    if relative.split(os.sep)[0] in (os.curdir, os.pardir):
        raise Refused(os.EX_USAGE, f"{module} is not below --root={root}")
    with open(module, "rb") as file:
        source = file.read()
    rewritten, inlined = _rewrite_source(source, module)
    _write(os.path.join(output_dir, relative), rewritten)
    return {"module": relative, "inlined": inlined, "bytes": len(rewritten)}


def run_job(job: vigil_task.Job) -> dict[str, Any]:
    """Does one job of a warm task."""
    import vigil_task  # pylint: disable=import-outside-toplevel
    where = job.json()
    if not (isinstance(where, dict) and
            where.keys() == {"root", "output_dir", "module"} and
            all(isinstance(path, str) for path in where.values())):
        raise vigil_task.InvalidInput(
            "the input must have root, output_dir and module, each a path")
    try:
        return rewrite_module(**where)
    except Refused as error:
        if error.status in (os.EX_USAGE, os.EX_DATAERR):
            raise vigil_task.InvalidInput(str(error)) from None
        raise
    finally:
        # Here, and never in the middle of a tree, which has no cycles.
        gc.collect()


def _fail(status: int, message: str) -> NoReturn:
    print(f"inline_variables: {message}", file=sys.stderr)
    sys.exit(status)


def run_command() -> None:
    import argparse  # pylint: disable=import-outside-toplevel

    class Parser(argparse.ArgumentParser):

        def error(self, message: str) -> NoReturn:
            _fail(os.EX_USAGE, f"{message}; see --help")

    parser = Parser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", required=True,
                        help="directory that MODULE is in, at any depth")
    parser.add_argument("--output_dir", required=True,
                        help="where the rewritten module goes")
    parser.add_argument("module", metavar="MODULE")
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        done = rewrite_module(**vars(parser.parse_args()))
        print("{module}: {inlined} inlined, {bytes} bytes".format(**done),
              flush=True)
    except Refused as error:
        _fail(error.status, str(error))
    except OSError as error:
        _fail(os.EX_IOERR, str(error))


def main() -> None:
    warnings.simplefilter("ignore")
    # A tree makes many objects and no garbage: collections would find nothing.
    gc.disable()
    if "VIGIL_FD" in os.environ:
        import vigil_task  # pylint: disable=import-outside-toplevel
        # What is loaded stays: a collection after a job need not look at it.
        gc.freeze()
        vigil_task.serve(run_job)
    run_command()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Inlines single-use local variables of one Python module.

Reads MODULE, rewrites its syntax tree and writes the result below OUTPUT_DIR,
at the path that MODULE has below ROOT. A local goes when it is assigned once,
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

Exit statuses are those of sysexits.h: 0, 64 wrong usage, 65 the module is not
valid Python, 70 the rewritten module does not compile (a bug here), 74 reading
or writing failed.
"""

from __future__ import annotations

import argparse
import ast
import collections
import os
import sys
import warnings
from typing import Iterator, NoReturn, Optional

# What compile() raises for a malformed module: SyntaxError; ValueError for null
# bytes and wrong encodings; the others for nesting beyond its limits.
MALFORMED = (SyntaxError, ValueError, RecursionError, MemoryError,
             OverflowError)

# Levels of nodes in an expression that may be moved, so that a chain of
# assignments does not nest more deeply than compile() allows. Readable lines
# have fewer.
MAX_HEIGHT = 20

# Python calls while the tree is rewritten. Trees that compile() accepts can be
# deeper than the default of 1000 allows Python code to follow.
RECURSION_LIMIT = 20_000

# Functions that mention one of these may read variables by name.
INTROSPECTION = frozenset({
    "locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe",
    "f_locals"
})

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
SCOPES = FUNCTIONS + (ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp,
                      ast.DictComp, ast.GeneratorExp)
GUARDS = (ast.Try, getattr(ast, "TryStar", ast.Try), ast.With, ast.AsyncWith)
SUSPENSIONS = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)


class Uses:
    """How often one function's own scope reads and binds each name."""

    def __init__(self, function: ast.AST) -> None:
        self.loads: collections.Counter[str] = collections.Counter()
        self.stores: collections.Counter[str] = collections.Counter()
        # Names that are also bound or mentioned in a way not counted above.
        self.others: set[str] = set()
        self.parameters = {
            node.arg for node in ast.iter_child_nodes(function.args)
            if isinstance(node, ast.arg)
        }
        self.introspective = False
        pending: list[ast.AST] = list(function.body)
        while pending:
            node = pending.pop()
            if isinstance(node, SCOPES):
                for inner in ast.walk(node):
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
                pending.extend(ast.iter_child_nodes(node))
        for node in ast.walk(function):
            name = getattr(node, "id", getattr(node, "attr", None))
            self.introspective |= name in INTROSPECTION

    def is_candidate(self, name: str) -> bool:
        return (self.stores[name] == 1 and self.loads[name] == 1 and
                name not in self.others and name not in self.parameters and
                not name.startswith("__"))

    def is_constant_parameter(self, name: str) -> bool:
        return (name in self.parameters and self.stores[name] == 0 and
                name not in self.others)


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
    return 1 + max(map(_height, ast.iter_child_nodes(node)), default=0)


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
        self.uses = Uses(function)
        self.inlined = 0
        if not self.uses.introspective:
            self._rewrite(function.body, guarded=False)

    def _rewrite(self, suite: list[ast.stmt], guarded: bool) -> None:
        # Backwards, so that a chain of assignments folds into its end.
        for i in range(len(suite) - 1, -1, -1):
            statement = suite[i]
            if isinstance(statement, SCOPES):
                continue
            inner = guarded or isinstance(statement, GUARDS)
            for child in _suites(statement):
                self._rewrite(child, inner)
            if i + 1 < len(suite) and self._inline(statement, suite[i + 1],
                                                   guarded):
                del suite[i]
                self.inlined += 1

    def _inline(self, statement: ast.stmt, use: ast.stmt,
                guarded: bool) -> bool:
        """Moves the value that `statement` assigns into `use`, if it may."""
        if not (isinstance(statement, ast.Assign) and
                len(statement.targets) == 1 and
                isinstance(statement.targets[0], ast.Name)):
            return False
        name = statement.targets[0].id
        value = statement.value
        header = _header(use)
        if not header or not self.uses.is_candidate(name):
            return False
        # A string on its own could become the docstring.
        if isinstance(use, ast.Expr) and isinstance(use.value, ast.Name):
            return False
        if _height(value) > MAX_HEIGHT or any(
                isinstance(node, SUSPENSIONS)
                for root in (value, *(root for _, root in header))
                for node in ast.walk(root)):
            return False
        if not (_is_pure(value, self.uses) or
                self._may_lead(name, value, use, guarded)):
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


def inline_variables(tree: ast.Module) -> int:
    """Rewrites `tree` in place; returns how many variables went."""
    return sum(
        Inliner(node).inlined
        for node in list(ast.walk(tree))
        if isinstance(node, FUNCTIONS))


def _fail(status: int, message: str) -> NoReturn:
    print(f"inline_variables: {message}", file=sys.stderr)
    sys.exit(status)


class _Parser(argparse.ArgumentParser):

    def error(self, message: str) -> NoReturn:
        _fail(os.EX_USAGE, f"{message}; see --help")


def _rewrite_source(source: bytes, module: str) -> tuple[bytes, int]:
    """Returns the rewritten module, as UTF-8, and how many variables went."""
    warnings.simplefilter("ignore")
    try:
        compile(source, module, "exec", dont_inherit=True)
    except MALFORMED as error:
        _fail(os.EX_DATAERR,
              f"{module}: does not compile: {type(error).__name__}: {error}")
    sys.setrecursionlimit(RECURSION_LIMIT)
    try:
        tree = ast.parse(source, module)
        inlined = inline_variables(tree)
        rewritten = (ast.unparse(tree) + "\n").encode()
        compile(rewritten, module, "exec", dont_inherit=True)
    except MALFORMED as error:
        _fail(os.EX_SOFTWARE,
              f"{module}: rewritten: {type(error).__name__}: {error}")
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


def main() -> None:
    parser = _Parser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", required=True,
                        help="directory that MODULE is in, at any depth")
    parser.add_argument("--output_dir", required=True,
                        help="where the rewritten module goes")
    parser.add_argument("module", metavar="MODULE")
    options = parser.parse_args()
    root = os.path.abspath(options.root)
    relative = os.path.relpath(os.path.abspath(options.module), root)
    if relative.split(os.sep)[0] in (os.curdir, os.pardir):
        parser.error(f"{options.module} is not below --root={options.root}")
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with open(options.module, "rb") as module:
            source = module.read()
        rewritten, inlined = _rewrite_source(source, options.module)
        _write(os.path.join(options.output_dir, relative), rewritten)
        print(f"{relative}: {inlined} inlined, {len(rewritten)} bytes",
              flush=True)
    except OSError as error:
        _fail(os.EX_IOERR, str(error))


if __name__ == "__main__":
    main()

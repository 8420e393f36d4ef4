"""Break the kernel on purpose, one place at a time, and count the breaks that its fast laws notice.

    python -m benchmarks.mutants [--sample 200] [--seed 0]

A place is a comparison, a sum, a bound, a constant or a gate in `transforms/algebra/`. Each is broken in a process of its own,
which runs the kernel's tests until one fails. What survives is printed.

No place is where no input could tell the mutant from the kernel, by what the place is:

- `strict=`, which sees that two columns are as long as each other: they are;
- the 0 that `ints` and `indices` give for null, where a column has none: those that may be null say FOREVER, BEGINNING or -1;
- room: a number that is only asked to be large enough, as the width of a packed key or how often a sum may be multiplied;
- at the very bound from which on another way is taken to the same result (`_LIMIT`, `_MANY`): both give it there.
"""

import argparse
import ast
import importlib.abc
import importlib.util
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from itertools import islice
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import duckdb  # noqa: F401  what every child needs is imported once
import pyarrow.compute  # noqa: F401
import pydantic  # noqa: F401
import pytest
import sqlglot  # noqa: F401

ROOT = Path(__file__).parents[1]
KERNEL = ROOT / "transforms" / "algebra"
LAWS = "tests/transforms/algebra"
FIRST = ("test_many_worlds.py", "test_merges.py", "test_operators.py", "test_every_pair.py", "test_explain.py")
"""They notice most; after them the others of the folder."""
LAST = (
    "test_lifecycles.py", "test_point_in_time.py", "test_steps.py", "test_against_oracle.py", "test_consent_laws.py",
    "test_causes.py",
)
"""They take longest: three of four seconds are theirs."""
OWN = {
    **dict.fromkeys(("folded", "needs", "memory", "outdated"), "test_folding.py"),
    **dict.fromkeys(("acts", "epochs", "ledger", "standing", "claims"), "test_consent_oracle.py"),
}
"""The law of files that have none of their name, or none that is as quick."""
PATIENCE = 120
"""Seconds of computing in one test after which a mutant counts as noticed: it does not end."""
_COMPARED: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}
_COMPUTED: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
}
_NAMED = {"minimum": "maximum", "maximum": "minimum", "left": "right", "right": "left", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One place of a file, broken."""

    path: Path
    line: int
    what: str
    code: str

    @property
    def module(self) -> str:
        """The name by which it is imported."""
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts)

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.what}"


def places(path: Path) -> int:
    """How many places of a file can be broken."""
    return sum(1 for _ in _places(ast.parse(path.read_text())))


def mutant(path: Path, place: int) -> Mutant:
    """The file with one of its places broken."""
    tree = ast.parse(path.read_text())
    node, broken = next(islice(_places(tree), place, None))
    before = ast.unparse(node)
    broken(node)
    return Mutant(path, node.lineno, f"{before} -> {ast.unparse(node)}", ast.unparse(tree))


Place = tuple[ast.expr, Callable[[Any], None]]


def _places(tree: ast.Module) -> Iterator[Place]:
    """The expressions within functions that can be broken, and how each is; annotations and texts are left alone."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for statement in function.body:
                if not isinstance(statement, ast.FunctionDef):
                    yield from _within(statement)


def _within(node: ast.AST) -> Iterator[Place]:
    broken = _broken(node) if isinstance(node, ast.expr) else None
    if broken is not None:
        yield node, broken  # type: ignore[misc]
    spared = _spared(node)
    for name, below in ast.iter_fields(node):
        for child in below if isinstance(below, list) else [below]:
            if isinstance(child, ast.AST) and name != "annotation" and child not in spared:
                yield from _within(child)


def _spared(node: ast.AST) -> Sequence[ast.AST]:
    """What right below a node no input could tell from a mutant of it."""
    match node:
        case ast.keyword(arg="strict" | "initial", value=said):
            return [said]
        case ast.Call(func=ast.Name("ints" | "indices"), args=[_, ast.Constant(0) as absent]):
            return [absent]
        case ast.Call(func=ast.Name("summable"), args=[_, room]):
            return [room]
        case ast.BinOp(ast.Call(ast.Name("int"), [ast.Call(ast.Attribute(attr="max"))]), ast.Add(), ast.Constant() as room):
            return [room]
    return []


def _broken(node: ast.expr) -> Callable[[Any], None] | None:
    """What breaks the expression, None where nothing does."""
    match node:
        case ast.Compare(ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()], comparators=[ast.Name(bound)]) if bound[0] == "_":
            return None
        case ast.Compare(ops=[op]) if type(op) in _COMPARED:
            return lambda one: setattr(one, "ops", [_COMPARED[type(op)]()])
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in _COMPUTED:
            return lambda one: setattr(one, "op", _COMPUTED[type(op)]())
        case ast.UnaryOp(op=ast.Not() | ast.Invert() as op, operand=operand):
            return lambda one: setattr(one, "operand", ast.UnaryOp(op, operand))
        case ast.Constant(value=bool() as value):
            return lambda one: setattr(one, "value", not value)
        case ast.Constant(value=int() as value):
            return lambda one: setattr(one, "value", value + 1)
        case ast.Constant(value="left" | "right" as side):
            return lambda one: setattr(one, "value", _NAMED[side])
        case ast.Attribute(attr=attr) if attr in _NAMED:
            return lambda one: setattr(one, "attr", _NAMED[attr])
    return None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from other source."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self.mutant.module:
            return None
        return importlib.util.spec_from_file_location(name, self.mutant.path, loader=self)

    def create_module(self, spec: ModuleSpec) -> None:
        """As always."""

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.code, str(self.mutant.path), "exec"), module.__dict__)  # noqa: S102  it is what this is for


def survives(mutant: Mutant) -> bool:
    """Whether no law notices the mutant; in a child that has the libraries already."""
    child = os.fork()
    if not child:
        _run_laws(mutant)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


class _Calm:
    """Laws that fail at what is broken alone: neither at how busy the machine is nor at what they remember of other mutants."""

    def pytest_configure(self) -> None:
        from hypothesis import settings  # where pytest has it already

        settings.register_profile("mutants", deadline=None, database=None, derandomize=True)
        settings.load_profile("mutants")

    def pytest_runtest_setup(self) -> None:
        """Let each test compute for so long."""
        so_far = int(time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (so_far + PATIENCE, resource.RLIM_INFINITY))


def _run_laws(mutant: Mutant) -> None:
    """Run the laws, and end this process as they end."""
    sys.meta_path.insert(0, _Finder(mutant))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    asked = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not soak", *_laws(mutant)]
    os._exit(int(pytest.main(asked, plugins=[_Calm()])))


def _laws(mutant: Mutant) -> list[str]:
    """The files of tests, those that know the mutant's file best before the others."""
    stem = mutant.path.stem
    every = sorted(path.name for path in (ROOT / LAWS).glob("test_*.py"))
    others = [name for name in every if name not in LAST]
    wanted = dict.fromkeys((f"test_{stem}.py", OWN.get(stem, ""), *FIRST, *others, *LAST))
    return [f"{LAWS}/{name}" for name in wanted if name in every]


def main() -> None:
    """Print each mutant that survives, and how many of the sample were noticed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sample", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    said = options.parse_args()
    every = [(path, place) for path in sorted(KERNEL.rglob("*.py")) for place in range(places(path))]
    sample = Random(said.seed).sample(every, min(said.sample, len(every)))
    whole = KERNEL / "advance.py"
    if not survives(Mutant(whole, 0, "nothing", whole.read_text())):
        raise SystemExit("the laws do not hold without any mutant")
    began, killed = time.monotonic(), 0
    for number, asked in enumerate(sample, 1):
        broken = mutant(*asked)
        if survives(broken):
            print(f"survived  {broken}", flush=True)
        else:
            killed += 1
        if number % 20 == 0:
            print(f"{killed} of {number} noticed, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{killed} of {len(sample)} mutants noticed ({killed / len(sample):.1%}), of {len(every)} that there are")


if __name__ == "__main__":
    main()

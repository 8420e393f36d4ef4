"""Break the kernel on purpose, one place at a time, and count the breaks that its fast laws notice.

    python -m benchmarks.mutants [--sample 200] [--seed 0]

A place is a comparison, a sum, a bound, a constant or a gate in `transforms/algebra/`. The kernel's tests are collected once; a
child for each mutant runs them until one fails. What survives is printed.

No place is where no input could tell the mutant from the kernel, by what the place is:

- `strict=`, which sees that two columns are as long as each other: they are;
- the 0 that `ints` and `indices` give for null, where a column has none: those that may be null say FOREVER, BEGINNING or -1;
- what stands behind a column for an index that points nowhere (`np.append(column, 0)[index]`): a flag beside it leaves it out;
- room: a number that is only asked to be large enough, as the width of a packed key or how often a sum may be multiplied;
- at the very bound from which on another way is taken to the same result (`_LIMIT`, `_MANY`): both give it there;
- how far beside the ends of time (`BEGINNING + 1`): nothing ever lies so near to them, and what is noted there has a name;
- of how many events no state may forget (`first_few(1)`, `last_few(1)`): it keeps one more, and what is kept changes no answer.

What survives is either a rule that no test holds, which is to be written, or of a kind that changes no answer:

- haste: whether what is already in order, alone, empty or alike is left as it is. The long way gives the same;
- the bound itself, where both sides of it meet or nothing ever lies;
- what is asked of nothing or masked: the value of a row that a flag beside it leaves out, a number that stands for none;
- what is told twice: steps are clipped to their stint's use where they are made, and once more where they are put together;
- prudence: who may forget keeps more, a hash tells fewer apart, more of those are looked at to whom nothing has happened.
"""

import argparse
import ast
import gc
import os
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from random import Random
from types import CodeType, FunctionType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
KERNEL = ROOT / "transforms" / "algebra"
LAWS = "tests/transforms/algebra"
FIRST = (
    "test_every_comparison.py", "test_many_worlds.py", "test_merges.py", "test_operators.py", "test_every_pair.py",
    "test_explain.py", "test_folding.py",
)
"""They notice most; after them the others of the folder."""
LAST = (
    "test_lifecycles.py", "test_point_in_time.py", "test_steps.py", "test_against_oracle.py", "test_consent_laws.py",
    "test_causes.py",
)
"""They take longest: three of four seconds are theirs."""
OWN = {
    **dict.fromkeys(("folded", "needs", "memory", "outdated"), "test_folding.py"),
    **dict.fromkeys(("acts", "epochs", "ledger", "standing", "claims"), "test_consent_oracle.py"),
    "causes": "test_touching_causes.py",
}
"""The law of files that have none of their name, or none that is as quick."""
PATIENCE = 120
"""Seconds of computing in one test after which a mutant counts as noticed: it does not end."""
FAULTY = 3
"""How a child ends that could not ask the laws."""
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
        case ast.Call(func=ast.Attribute(attr="append"), args=[ast.Name(), ast.Constant(0) as absent]):
            return [absent]
        case ast.Call(func=ast.Name("summable"), args=[_, room]):
            return [room]
        case ast.BinOp(ast.Call(ast.Name("int"), [ast.Call(ast.Attribute(attr="max"))]), ast.Add(), ast.Constant() as room):
            return [room]
        case ast.BinOp(ast.Name("BEGINNING" | "FOREVER"), _, ast.Constant() as beside):
            return [beside]
        case ast.Call(func=ast.Name("first_few" | "last_few"), args=[ast.Constant() as few]):
            return [few]
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


class Laws:
    """The kernel's tests, collected once: each mutant is made of the kernel in a child, which runs them until one fails.

    They fail at what is broken alone: neither at how busy the machine is nor at what they remember of other mutants.
    """

    def __init__(self, judge: Callable[["Laws"], None]) -> None:
        self.judge = judge
        self.items: list[pytest.Item] = []

    def pytest_configure(self) -> None:
        """Set hypothesis up, which pytest has imported by now."""
        from hypothesis import HealthCheck, settings

        calm = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
        settings.register_profile("mutants", database=None, derandomize=True, **calm)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of the tests run what asks for them."""
        self.items = session.items
        self.judge(self)
        return True

    def notice(self, mutant: Mutant) -> bool:
        """Whether any law notices the mutant."""
        child = os.fork()
        if not child:
            try:
                self._run(mutant)
            finally:
                os._exit(FAULTY)
        _, status = os.waitpid(child, 0)
        ended = os.waitstatus_to_exitcode(status)
        if ended == FAULTY:
            raise RuntimeError(f"the laws can not be run: {mutant}")
        return ended != 0

    def _run(self, mutant: Mutant) -> None:
        """Run the laws until one fails, and end this process: with 0 where none does."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        install(mutant)
        for item, following in pairwise([*sorted(self.items, key=_turn_of(mutant)), None]):
            resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + PATIENCE, resource.RLIM_INFINITY))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if item.session.testsfailed:
                os._exit(1)
        os._exit(0)


def install(mutant: Mutant) -> None:
    """Give the functions of the module their code of the mutant, whoever has imported them."""
    codes = {code.co_qualname: code for code in _codes(compile(mutant.code, str(mutant.path), "exec"))}
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__module__ == mutant.module and one.__qualname__ in codes:
            one.__code__ = codes[one.__qualname__]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of functions and methods; those that are made in a function come with it."""
    for one in code.co_consts:
        if isinstance(one, CodeType) and "<" not in one.co_qualname:
            yield one
            yield from _codes(one)


def _turn_of(mutant: Mutant) -> Callable[[pytest.Item], int]:
    """The place of each test: those that know the mutant's file best before the others, and the slow ones last."""
    stem = mutant.path.stem
    order = [f"test_{stem}.py", OWN.get(stem, ""), *FIRST, "others", *LAST]
    turns = {name: place for place, name in reversed([*enumerate(order)])}
    return lambda item: turns.get(item.path.name, turns["others"])


def main() -> None:
    """Print each mutant that survives, and how many of the sample were noticed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sample", type=int, default=200)
    options.add_argument("--seed", type=int, default=0)
    said = options.parse_args()
    asked = ["-x", "-qqq", "-s", "-p", "no:cacheprovider", "-m", "not soak", LAWS]
    raise SystemExit(pytest.main(asked, plugins=[Laws(partial(judge, size=said.sample, seed=said.seed))]))


def judge(laws: Laws, size: int, seed: int) -> None:
    """Ask the laws for the mutants of a sample."""
    every = [(path, place) for path in sorted(KERNEL.rglob("*.py")) for place in range(places(path))]
    sample = Random(seed).sample(every, min(size, len(every)))
    whole = KERNEL / "advance.py"
    if laws.notice(Mutant(whole, 0, "nothing", whole.read_text())):
        raise SystemExit("the laws do not hold without any mutant")
    began, noticed = time.monotonic(), 0
    for number, asked in enumerate(sample, 1):
        broken = mutant(*asked)
        if laws.notice(broken):
            noticed += 1
        else:
            print(f"survived  {broken}", flush=True)
        if number % 20 == 0:
            print(f"{noticed} of {number} noticed, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{noticed} of {len(sample)} mutants noticed ({noticed / len(sample):.1%}), of {len(every)} that there are")


if __name__ == "__main__":
    main()

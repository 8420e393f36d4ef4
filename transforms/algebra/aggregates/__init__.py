"""One aggregate a file, found by being in the folder."""

from importlib import import_module
from pkgutil import iter_modules

from transforms.algebra.measure import Measure

AGGREGATES: dict[str, type[Measure]] = {
    module.AGGREGATE.op: module.AGGREGATE
    for module in (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
}

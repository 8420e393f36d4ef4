"""One operator a file, found by being in the folder."""

from importlib import import_module
from pkgutil import iter_modules

from schemas.definitions.node import Node

OPERATORS: dict[str, type[Node]] = {
    module.OPERATOR.name: module.OPERATOR
    for module in (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
}

"""What is allowed and probably not meant: one lint a file, each a warning with its place."""

from collections.abc import Callable, Iterator

from schemas.definitions.lint.constant import constant_conditions
from schemas.definitions.lint.expensive import expensive_definitions
from schemas.definitions.lint.never_did import whoever_never_did
from schemas.definitions.lint.never_late import never_late
from schemas.definitions.lint.outlived import outlived_lateness
from schemas.definitions.lint.same import two_names
from schemas.definitions.lint.too_far import too_far_back
from schemas.definitions.lint.unbounded import unbounded_lookback
from schemas.definitions.lint.unkept import unkept_promises
from schemas.definitions.lint.unscored import unscored_models
from schemas.definitions.lint.unused import unused_properties
from schemas.definitions.lint.unyielded import unyielded_events
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.errors import Problem

LINTS: tuple[Callable[[Project, Reading], Iterator[Problem]], ...] = (
    unused_properties,
    unkept_promises,
    never_late,
    outlived_lateness,
    constant_conditions,
    too_far_back,
    whoever_never_did,
    unyielded_events,
    unscored_models,
    unbounded_lookback,
    expensive_definitions,
    two_names,
)

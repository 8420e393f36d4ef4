"""The conditions of all definitions, checked: first by our own types, then by the engine, many in one question."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from schemas.definitions.datatype import DataType
from schemas.definitions.expression import Expression
from schemas.definitions.language import TypeOf
from schemas.definitions.refusal import refuse
from schemas.definitions.typecheck import check_condition

AT_ONCE = 100
"""Conditions in one question to the engine, which takes longer to start than to answer."""
Report = Callable[[ValueError], None]


@dataclass
class Conditions:
    """Conditions over the columns of events, and whom to tell what is wrong with each."""

    columns: Mapping[str, DataType]
    type_of: TypeOf
    asked: dict[str, list[Report]] = field(default_factory=dict)

    def add(self, expression: Expression, report: Report) -> None:
        """Check one condition by our own types now, and by the engine later."""
        try:
            check_condition(expression, self.columns)
        except ValueError as error:
            report(error)
            return
        self.asked.setdefault(expression.sql, []).append(report)

    def ask(self) -> None:
        """Ask the engine about all that were added."""
        open_parts = sorted(self.asked)
        for start in range(0, len(open_parts), AT_ONCE):
            self._ask(open_parts[start : start + AT_ONCE])
        self.asked.clear()

    def _ask(self, conditions: list[str]) -> None:
        """Ask about all at once; where the engine refuses, find the ones that it means."""
        error = self._error(" AND ".join(conditions))
        if error is None:
            return
        if len(conditions) == 1:
            for report in self.asked[conditions[0]]:
                report(error)
            return
        middle = len(conditions) // 2
        self._ask(conditions[:middle])
        self._ask(conditions[middle:])

    def _error(self, sql: str) -> ValueError | None:
        try:
            kind = self.type_of(sql, self.columns)
        except ValueError as error:
            return refuse("SEG-0209", f"the engine refuses the expression: {error}")
        if kind.kind != "bool":
            return refuse("SEG-0204", "the expression is no condition", expected="true or false", found=str(kind))
        return None

"""`property`: every comparison holds for the profile valid at T (5.15)."""

from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import GetJsonSchemaHandler, PlainValidator, TypeAdapter, ValidationInfo, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.definitions.comparison import AnyComparison, Comparison, Constant
from schemas.definitions.node import Compared, Node
from schemas.definitions.reference import References
from schemas.definitions.refusal import refuse
from transforms.algebra.ages import age_steps
from transforms.algebra.exact import signs
from transforms.algebra.order import Ints, Steps, turning
from transforms.algebra.pending import every, settled
from transforms.algebra.profiles import MISSING
from transforms.algebra.truth import judge
from transforms.algebra.view import View

AGE = "age"


_Columns = dict[str, AnyComparison]
_COMPARISONS: TypeAdapter[dict[str, Comparison]] = TypeAdapter(_Columns)


def _columns(value: Any, info: ValidationInfo) -> tuple[tuple[str, Comparison], ...]:
    if not value:
        raise refuse("SEG-0101", "`property` compares no column", expected="a column and a comparison")
    return tuple(sorted(_COMPARISONS.validate_python(value, context=info.context).items()))


class Property(Node):
    """True at T when all columns of the profile satisfy their comparisons; unknown where a value is missing.

    `age` follows from the column `birth_date`, by the subject's own clock.
    """

    name = "property"
    when = "What is known about the subject: country, plan, age."
    example = """
    property: {country: "IN ('DE', 'AT')", age: ">= 18"}
    """
    story = """
    name: of age from the day of the birthday on
    profile: {country: DE, birth_date: 2008-02-01}
    expect: [{at: 2026-01-31, member: false}, {at: 2026-02-01, member: true}]
    """

    columns: Annotated[tuple[tuple[str, Comparison], ...], PlainValidator(_columns, json_schema_input_type=_Columns)]

    @model_validator(mode="before")
    @classmethod
    def _from_columns(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        columns = {key: part for key, part in value.items() if key != "missing"}
        return {"columns": columns, **({"missing": value["missing"]} if "missing" in value else {})}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A comparison for each column."""
        form = handler(core)
        missing, columns = form["properties"]["missing"], form["properties"]["columns"]
        compared = {**columns["additionalProperties"], "title": "a comparison"}
        some = {"minProperties": 1, "dependentSchemas": {"missing": {"minProperties": 2}}}
        return {**columns, "properties": {"missing": missing}, "additionalProperties": compared, **some}

    def references(self) -> References:
        """The profile's columns with their comparisons."""
        return References(profile=self.columns)

    def compared(self) -> tuple[Compared, ...]:
        """Each column."""
        return tuple(Compared(("profile", column), comparison) for column, comparison in self.columns)

    def steps(self, view: View) -> Steps:
        """Each column's own truth, all together."""
        holds = every(_holds(view, column, comparison) for column, comparison in self.columns)
        return view.of_subjects(settled(holds, len(view.timeline.facts.subjects)))


def _holds(view: View, column: str, comparison: Comparison) -> Steps:
    return _age(view, comparison) if column == AGE else _value(view, column, comparison)


def _value(view: View, name: str, comparison: Comparison) -> Steps:
    """The comparison is judged once for each distinct value, and once for the missing one."""
    steps, values = view.timeline.facts.grounds.profiles.column(name)
    comparison = comparison.for_type(view.project.profile_columns[name], view.project.timezone)
    missing = np.arange(len(values) + 1) == len(values)

    def sign(constant: Constant) -> Ints:
        return np.append(signs(values, constant) if len(values) else np.empty(0, np.int64), 0)

    truth = judge(comparison.tree, sign, missing)
    return turning(steps.who, steps.at, truth[steps.value], truth[steps.initial])


def _age(view: View, comparison: Comparison) -> Steps:
    """The age is stepped only at the birthdays that the comparison asks for."""
    steps = age_steps(view.timeline.facts.grounds.lives, {int(constant) for constant in comparison.constants})
    ages = np.append(steps.value, steps.initial)
    truth = judge(comparison.tree, lambda constant: signs(pa.array(ages), constant), ages == MISSING)
    return turning(steps.who, steps.at, truth[: len(steps.value)], truth[len(steps.value) :])


OPERATOR = Property

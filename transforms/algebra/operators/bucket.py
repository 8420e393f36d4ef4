"""`bucket`: a stable share of the subjects, by a salted hash (5.19)."""

from typing import Annotated

from pydantic import Field, StrictInt, model_validator

from schemas.definitions.node import Node
from schemas.definitions.refusal import refuse
from schemas.definitions.takes import Takes
from transforms.algebra.order import Steps
from transforms.algebra.view import View

Bound = Annotated[StrictInt, Field(ge=0)]


class Bucket(Node):
    """True for the subjects whose salted hash, modulo `of`, lies in `range`: [low, high)."""

    name = "bucket"
    can_be_unknown = False
    when = "Draw lots: the same half of the subjects gets the new letter, on every day and on every machine."
    example = "bucket: {salt: spring letter, range: [0, 50], of: 100}"
    story = """
    name: who is drawn stays drawn
    events: [[0d, visit]]
    expect: [{at: 0d, member: true}, {at: 400d, member: true}]
    """

    salt: str
    range: Annotated[tuple[Bound, Bound], Takes("[low, high], whole numbers up to `of`")]
    of: Annotated[StrictInt, Field(ge=1, le=1 << 31)] = 100

    @model_validator(mode="after")
    def _lies_within(self) -> "Bucket":
        low, high = self.range
        if not low < high <= self.of:
            expected = f"[low, high] with 0 <= low < high <= {self.of}"
            raise refuse("SEG-0103", "no such range of buckets", expected=expected, found=f"[{low}, {high}]")
        return self

    def of_nothing(self) -> frozenset[bool | None]:
        """Events have no part in it."""
        return frozenset((True, False))

    def steps(self, view: View) -> Steps:
        """The first 8 bytes of SHA-256(salt, NUL, subject), big-endian, modulo `of`."""
        low, high = self.range
        number = "('0x' || sha256(encode($salt) || '\\x00'::BLOB || encode(subject))[:16])::UBIGINT % $of"
        return view.of_flags(
            view.ask(f"{number} >= $low AND {number} < $high", salt=self.salt, of=self.of, low=low, high=high)
        )


OPERATOR = Bucket

"""`list`: any id of the subject is in the file (5.20)."""

from typing import Annotated

import pyarrow.compute as pc

from schemas.definitions.node import Node
from schemas.definitions.reference import References
from schemas.definitions.takes import takes_text
from transforms.algebra.order import Steps
from transforms.algebra.view import View


class List(Node):
    """True for the subjects whose id stands in a column of a file. The file's content is part of the definition."""

    name = "list"
    can_be_unknown = False
    when = "Somebody else has chosen them: testers, important customers, the answers to a survey."
    example = "list: {file: lists/vip.csv, column: subject}"
    story = """
    name: the subject of this story stands in the file
    events: [[0d, visit]]
    expect: [{at: 0d, member: true}, {at: 400d, member: true}]
    """

    file: Annotated[str, takes_text("a CSV file of the project")]
    column: Annotated[str, takes_text("a column of it")]

    def references(self) -> References:
        """The file and its column."""
        return References(lists=((self.file, self.column),))

    def of_nothing(self) -> frozenset[bool | None]:
        """Events have no part in it."""
        return frozenset((True, False))

    def steps(self, view: View) -> Steps:
        """Whether the subject is listed."""
        return view.of_any_id(pc.is_in(view.timeline.facts.subjects, view.project.lists[self.file, self.column]))


OPERATOR = List

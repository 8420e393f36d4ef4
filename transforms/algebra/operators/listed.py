"""`list`: any id of the subject is in the file (5.20)."""

import pyarrow.compute as pc

from schemas.definitions.node import Node
from schemas.definitions.reference import References
from transforms.algebra.order import Steps
from transforms.algebra.view import View


class List(Node):
    """True for the subjects whose id stands in a column of a file. The file's content is part of the definition."""

    name = "list"
    can_be_unknown = False

    file: str
    column: str

    def references(self) -> References:
        """The file and its column."""
        return References(lists=((self.file, self.column),))

    def steps(self, view: View) -> Steps:
        """Whether the subject is listed."""
        return view.of_flags(pc.is_in(view.timeline.facts.subjects, view.project.lists[self.file, self.column]))


OPERATOR = List

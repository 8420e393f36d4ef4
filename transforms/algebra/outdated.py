"""What a state can not answer any more by itself."""

import pyarrow as pa


class Outdated(Exception):
    """News is as old as what has been folded: the state no longer has what it bears on.

    Attributes:
      subjects: the ids of those whom it concerns. All their facts are needed to go on.
    """

    def __init__(self, subjects: pa.Array) -> None:
        super().__init__(f"{len(subjects)} subjects are to be made anew from all their facts")
        self.subjects = subjects

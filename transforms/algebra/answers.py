"""The answers of segments: those that are asked for are computed together, as soon as one of them is read."""

from collections.abc import Iterator, Mapping

from transforms.algebra.order import FALSE, Steps
from transforms.algebra.pending import Truth, settle_all
from transforms.algebra.view import View

_AT_ONCE = 1 << 17
"""So many rows of timelines are looked at together: more would not stay in the processor's cache."""


class Answers(Mapping[str, Steps]):
    """For each segment whether each subject is a member, over T."""

    def __init__(self) -> None:
        self._known: dict[str, Steps] = {}
        self._asked: dict[int, tuple[View, dict[str, Truth]]] = {}
        self._rows = 0

    def ask(self, name: str, view: View, truth: Truth) -> None:
        """Note the truth that makes a segment's members in the stints of a view."""
        self._asked.setdefault(id(view), (view, {}))[1][name] = truth
        self._rows += len(view.timeline.who) + view.size
        if self._rows > _AT_ONCE:
            self._answer()

    def _answer(self) -> None:
        for view, truths in self._asked.values():
            steps = settle_all(list(truths.values()), view.size)
            self._known.update(zip(truths, view.timeline.onto_subjects(steps, FALSE), strict=True))
        self._asked, self._rows = {}, 0

    def __getitem__(self, name: str) -> Steps:
        if name not in self._known:
            self._answer()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        self._answer()
        return iter(self._known)

    def __len__(self) -> int:
        self._answer()
        return len(self._known)

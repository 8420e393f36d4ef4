"""Conditions that are never true or always: nobody or everybody is meant, or nothing is."""

from collections.abc import Iterator

from schemas.definitions.lint.possible import GATES, Possible
from schemas.definitions.node import Node
from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.errors import Problem

_TOGETHER = "conditions that can all hold, and can fail"


def constant_conditions(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for the highest nodes of each segment that can only be true, or can not be."""
    possible = Possible(project)
    for name, segment in project.segments.items():
        document = reading.documents["segments", name]
        for node, always in constant_nodes(possible, segment.when):
            path = (*reading.places.get(id(node), ("when",)), node.name)
            message = _message(node, always, node is segment.when)
            expected = _TOGETHER if node.name in GATES else "a comparison that some values satisfy and others do not"
            yield document.problem("SEG-0806", message, path, of_key=True, expected=expected, severity="warning")


def constant_nodes(possible: Possible, root: Node) -> Iterator[tuple[Node, bool]]:
    """The highest nodes that have one answer, and whether it is true."""
    open_nodes = [root]
    while open_nodes:
        node = open_nodes.pop()
        answers = possible.answers(node)
        if True not in answers or answers == {True}:
            yield node, True in answers
        else:
            open_nodes += reversed(node.children)


def _message(node: Node, always: bool, is_root: bool) -> str:
    if always:
        return f"this `{node.name}` is always true" + (": everybody in the population is a member" if is_root else "")
    return f"this `{node.name}` can never be true" + (": nobody is ever a member" if is_root else "")

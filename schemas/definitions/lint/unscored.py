"""Models that no source tells scores of: told only where every source of scores names its model outright."""

from collections.abc import Iterator

from schemas.definitions.project import Project
from schemas.definitions.reading import Reading
from schemas.definitions.refusal import listed, nearest_to, show
from schemas.definitions.yaml import find
from schemas.errors import Problem


def unscored_models(project: Project, reading: Reading) -> Iterator[Problem]:
    """A warning for each model by a name that none of the sources of scores has."""
    names = _scored(project)
    if names is None:
        return
    for segment in project.segments.values():
        document = reading.documents["segments", segment.name]
        for node, refers in zip(segment.when.walk(), segment.references, strict=True):
            path = (*reading.places.get(id(node), ("when",)), node.name)
            for name in sorted(set(refers.models) - names):
                message = f"no source tells scores of the model `{show(name)}`"
                where = find(document.at(path), name, path) or path
                expected, nearest = listed(names) or "a source of `kind: scores`", nearest_to(name, names)
                yield document.problem("SEG-0813", message, where, expected=expected, nearest=nearest, severity="warning")


def _scored(project: Project) -> frozenset[str] | None:
    """The names of all models; None where a source reads them from its records."""
    sources = [source for source in project.sources.values() if source.kind == "scores"]
    names = [source.fields["model"].expression.literal for source in sources]
    return frozenset(name for name in names if name) if all(name is not None for name in names) else None

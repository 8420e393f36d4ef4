"""What `--select` chooses: the definitions, the published ones where it asks for them, and the last run's results."""

import json
from collections.abc import Mapping
from difflib import get_close_matches

from runners.artifacts import FOLDER
from runners.runs.results import NAME, failed_in
from runners.terminal.session import Session
from schemas.definitions.lineage import Item
from schemas.definitions.project import Project
from schemas.definitions.selection import Past, Selection, select
from schemas.errors import CallError, NothingSelected


def chosen_of(session: Session, project: Project, text: str | None, allow_empty: bool) -> Selection:
    """The segments and feature groups that are selected. Errors: CallError, NothingSelected."""
    past = Past(lambda: _published(project), lambda: _failed(project))
    try:
        chosen = select(project, text, past)
        if not chosen.segments and not chosen.features:
            raise NothingSelected("SEG-0903", "no segment or feature is selected", "`segue ls` lists what there is")
    except NothingSelected:
        if not allow_empty:
            raise
        return Selection((), ())
    return chosen


def features_of(session: Session, project: Project, text: str | None, allow_empty: bool) -> tuple[str, ...]:
    """The feature groups that are selected. Errors: CallError; NothingSelected also where there are segments alone."""
    groups = chosen_of(session, project, text, allow_empty).features
    if not groups and not allow_empty:
        raise NothingSelected("SEG-0903", "no feature is selected", "`segue ls` lists what there is")
    return groups


def see_segment(project: Project, name: str) -> None:
    """Errors: CallError for a segment that is not known."""
    if name not in project.segments:
        near = get_close_matches(name, project.segments, 1)
        raise CallError("SEG-0302", f"no segment `{name}`", f"did you mean `{near[0]}`?" if near else "")


def _published(project: Project) -> Mapping[Item, str]:
    """What the target's warehouse says its segments and feature groups mean; nothing where there is none yet."""
    from runners.terminal.standing import standing_of
    from runners.warehouses.published import last_run, versions

    with standing_of(project) as lake:
        if lake is None:
            return {}
        last = last_run(lake)
        segments = {
            Item("segments", name): version.meaning
            for name, known in versions(lake).items()
            for version, is_current in known
            if is_current
        }
        return segments | {Item("features", name): one for name, one in (last.features if last else {}).items()}


def _failed(project: Project) -> frozenset[Item]:
    """What the results of the last run say it failed on. Errors: CallError where there are none."""
    try:
        return failed_in(json.loads((project.root / FOLDER / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        hint = "`segue run` writes them"
        raise CallError("SEG-0911", f"the results of a run, {FOLDER / NAME}, can not be read", hint) from None

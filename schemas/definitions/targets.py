"""Targets that this version can not bring up: the one in use is refused, others may be for a later version or elsewhere."""

from collections.abc import Iterator

from schemas.definitions.project import ProjectForm, TargetForm, wanted_target
from schemas.definitions.reading import Reading
from schemas.errors import Severity

WAREHOUSES, RUNNERS = ("ducklake", "bigquery"), ("local", "prism", "flink")
"""What there is of each today; of a warehouse, what its address begins with."""


def check_targets(settings: ProjectForm, target: str | None, reading: Reading) -> None:
    """Look at every target of the settings. `target` is the one that the call names, if it does."""
    document = reading.documents.get(("settings", ""))
    if document is None:
        return
    wanted = wanted_target(settings, target)
    for name, form in settings.targets.items():
        severity: Severity = "error" if name == wanted else "warning"
        told = reading.problems if severity == "error" else reading.warnings
        for key, code, message, expected in _missing(form):
            told.append(document.problem(code, message, ("targets", name, key), expected=expected, severity=severity))


def _missing(form: TargetForm) -> Iterator[tuple[str, str, str, str]]:
    """The key, the code, the message and what is expected, of each thing that there is not."""
    kind, _, rest = form.warehouse.partition(":")
    kind = f"{kind}:postgres" if rest.startswith("postgres:") else kind
    if kind not in WAREHOUSES:
        message = f"`{kind}:` is not a warehouse that this version can open"
        yield "warehouse", "SEG-0600", message, "ducklake:DIR or bigquery:PROJECT.DATASET"
    if kind == "bigquery" and not form.bigquery.state:
        yield "warehouse", "SEG-0417", "it is not said where states lie", "bigquery: {state: gs://BUCKET/FOLDER} beside it"
    if form.runner not in RUNNERS:
        yield "runner", "SEG-0413", f"this version has no runner `{form.runner}`", " or ".join(RUNNERS)

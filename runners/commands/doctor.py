"""`segue doctor`: versions, extensions, the warehouse, brokers, permissions: what works, and what to do about the rest."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from runners.terminal.session import Session
    from runners.warehouses.lake import Lake
    from schemas.definitions.project import Project

PACKAGES = ("apache-beam", "duckdb", "pyarrow")
EXTENSIONS = ("sqlite_scanner", "ducklake")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and what to do where it is not right."""

    name: str
    ok: bool
    found: str
    to_do: str = ""


def doctor(ctx: typer.Context) -> None:
    """Look at versions, extensions, time zones, the project, its warehouse and its brokers; say what to do about the rest."""
    from schemas.errors import JobFailed

    session = ctx.obj
    findings = []
    for one in _findings(session):
        findings.append(one)
        if session.format == "text":
            session.say(f"{'ok' if one.ok else 'BROKEN':<7}{one.name}: {one.found}")
            if one.to_do:
                session.say(f"       {one.to_do}")
    if session.format == "json":
        session.json([asdict(one) for one in findings])
    broken = [one.name for one in findings if not one.ok]
    if broken:
        raise JobFailed("SEG-0910", f"broken: {', '.join(broken)}")


def _findings(session: "Session") -> Iterator[Finding]:
    yield _python()
    yield from (_package(name) for name in PACKAGES)
    yield from (_tried(f"extension {name}", lambda name=name: _load(name)) for name in EXTENSIONS)  # type: ignore[misc]
    yield _tried("time zones", _zones)
    yield from _project(session)


def _python() -> Finding:
    right = sys.version_info[:2] == (3, 11)
    return Finding("python", right, sys.version.split()[0], "" if right else "install Segue with Python 3.11")


def _package(name: str) -> Finding:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, "not installed", "install Segue again: it brings this package")


def _tried(name: str, look: Callable[[], str]) -> Finding:
    """What `look` found; whatever goes wrong in it is a finding, too."""
    from schemas.errors import SegueError

    try:
        return Finding(name, True, look())
    except SegueError as error:
        return Finding(name, False, f"{error.code} {error.message}", error.hint or "install Segue again")
    except Exception as error:  # noqa: BLE001  a doctor tells of every illness
        return Finding(name, False, f"{type(error).__name__}: {str(error).splitlines()[0]}", "install Segue again")


def _load(name: str) -> str:
    import duckdb

    from runners.warehouses.ducklake import extension

    con = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    try:
        con.load_extension(str(extension(name)))
    finally:
        con.close()
    return "loads"


def _zones() -> str:
    from datetime import datetime
    from importlib.metadata import version
    from zoneinfo import ZoneInfo

    from schemas.errors import JobFailed

    summer = datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")).utcoffset()
    if summer is None or summer.total_seconds() != 7200:
        raise JobFailed("SEG-0906", "the data of time zones is wrong", "install the package tzdata again")
    return f"tzdata {version('tzdata')}"


def _project(session: "Session") -> Iterator[Finding]:
    """What can be said of the project, where there is one."""
    from schemas.definitions.project import find_root
    from schemas.errors import CallError, DefinitionErrors

    try:
        root = session.project_dir or find_root(Path.cwd())
    except CallError:
        yield Finding("project", True, "none here", "go to a project, or make one with `segue init DIR`")
        return
    try:
        project = session.project()
    except DefinitionErrors as error:
        yield Finding("project", False, f"{len(error.problems)} problems in {root}", "`segue validate` lists them")
    except CallError as error:
        yield Finding("project", False, f"{error.code} {error.message}", error.hint)
    else:
        yield Finding("project", True, f"{project.name} in {project.root}")
        yield from _schemas(session, project.root)
        yield from _warehouse(project)
        yield _writable(project)
        if project.target.runner != "local":
            yield _tried(f"runner {project.target.runner}", lambda: _runner(project))
        yield from _brokers(project)


def _schemas(session: "Session", root: Path) -> Iterator[Finding]:
    """Whether the schemas of a project's editors are of this version; old ones only mislead an editor."""
    from runners.schema_files import FOLDER, schema_files

    if (root / FOLDER).is_dir():
        files = {root / FOLDER / name: text for name, text in schema_files(session.language()).items()}
        if all(path.is_file() and path.read_text(encoding="utf-8") == text for path, text in files.items()):
            yield Finding("schemas", True, f"{FOLDER} is of this version")
        else:
            yield Finding("schemas", True, f"{FOLDER} is of another version", f"`segue schema -o {FOLDER}` renews it")


def _warehouse(project: "Project") -> Iterator[Finding]:
    """Whether it can be read, and where it can, whether its files are whole."""
    from runners.warehouses.whole import see_data, see_states

    looks: dict[str, Callable[[Lake], str]] = {
        "warehouse": lambda lake: f"can be read, {_tables(lake)} tables (target {project.target.name})",
        "data files": lambda lake: f"{see_data(lake):,}, each of its size",
        "states": lambda lake: f"{see_states(lake, by_hash=True):,}, as they were written",
    }
    for name, look in looks.items():
        found = _tried(name, lambda look=look: _in_lake(project, look))  # type: ignore[misc]
        yield found
        if found.found.startswith(_NOT_YET) or (name == "warehouse" and not found.ok):
            break


_NOT_YET = "not there yet"


def _in_lake(project: "Project", look: Callable[["Lake"], str]) -> str:
    from runners.warehouses.entry import is_there, open_warehouse

    if not is_there(project):
        return f"{_NOT_YET}, the first `segue run` makes it (target {project.target.name})"
    with open_warehouse(project, patience_s=2.0) as lake:
        return look(lake)


def _tables(lake: "Lake") -> int:
    return len(lake.comments("table"))


def _writable(project: "Project") -> Finding:
    from runners.warehouses.entry import place_of
    from schemas.errors import CallError

    try:
        place = place_of(project)
    except CallError as error:
        return Finding("permissions", False, error.message, error.hint)
    wanted = [place, place / "data", project.root / "target"]
    refused = [path for path in map(_nearest, wanted) if not os.access(path, os.W_OK | os.X_OK)]
    if refused:
        return Finding("permissions", False, f"{refused[0]} can not be written to", "give this user the right to write")
    return Finding("permissions", True, "the warehouse and target/ can be written to")


def _runner(project: "Project") -> str:
    from runners.engines.entry import see_that_it_is_there

    see_that_it_is_there(project.target)
    return "there, or can be begun"


def _brokers(project: "Project") -> Iterator[Finding]:
    """Whether the brokers of each topic can be reached."""
    from runners.sources.topics import Topic, reach

    for name, source in project.sources.items():
        if source.kafka is not None:
            yield _tried(f"brokers of {name}", lambda one=source: reach(Topic.of(one), 3.0))  # type: ignore[misc]


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above that exists."""
    return next(one for one in (path, *path.parents) if one.exists())

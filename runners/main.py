"""The command line `segue`: global options, one file a command, and errors as exit codes."""

import logging
import os
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from runners.commands.apply import apply
from runners.commands.backfill import backfill
from runners.commands.compile import compile_
from runners.commands.diff import diff
from runners.commands.doctor import doctor
from runners.commands.explain import explain
from runners.commands.features import features
from runners.commands.init import init
from runners.commands.ls import ls
from runners.commands.plan import plan
from runners.commands.preview import preview
from runners.commands.query import query
from runners.commands.retry import retry
from runners.commands.run import run
from runners.commands.runs import runs
from runners.commands.schema import schema
from runners.commands.show import show
from runners.commands.stream import stream
from runners.commands.test import test
from runners.commands.validate import validate
from runners.terminal.log import Log
from runners.terminal.session import Session
from runners.terminal.stopping import end_in_order
from schemas.errors import DefinitionErrors, SegueError

app = typer.Typer(
    name="segue",
    help="Segments, features and their history from streams of user events, with consent inside the computation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _name, _command in {
    "init": init,
    "validate": validate,
    "compile": compile_,
    "plan": plan,
    "apply": apply,
    "run": run,
    "retry": retry,
    "stream": stream,
    "backfill": backfill,
    "test": test,
    "explain": explain,
    "features": features,
    "preview": preview,
    "diff": diff,
    "query": query,
    "show": show,
    "runs": runs,
    "ls": ls,
    "schema": schema,
    "doctor": doctor,
}.items():
    app.command(_name)(_command)  # type: ignore[type-var]


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"segue {version('segue')}")
        except PackageNotFoundError:
            typer.echo("segue (not installed)")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    project_dir: Annotated[
        Path | None, typer.Option(help="The project; by default the nearest folder up with segue.yaml.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="A target of segue.yaml; by default its default_target.")] = None,
    format: Annotated[str, typer.Option(help="text or json.")] = "text",  # noqa: A002  the option's name
    quiet: Annotated[bool, typer.Option("--quiet", help="Results only.")] = False,
    log_format: Annotated[str, typer.Option(help="text or json, for what goes to stderr.")] = "text",
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    """Segments as code: the same answer from a batch, an increment and `explain`, at every past instant."""
    for name, value in (("--format", format), ("--log-format", log_format)):
        if value not in ("text", "json"):
            raise typer.BadParameter(f"{name} is text or json")
    ctx.obj = Session(project_dir, target, format, quiet, not no_color, log_format)  # type: ignore[arg-type]


def main(arguments: list[str] | None = None) -> None:
    """Run one call and exit with its code."""
    if not os.environ.get("SEGUE_DEBUG"):
        # Libraries speak of themselves, traces and data included; what a user needs to know we say.
        logging.disable()
        warnings.simplefilter("ignore")
        threading.excepthook = lambda _: None
    end_in_order()
    _end(call(_hoisted(sys.argv[1:] if arguments is None else arguments)))


def _end(code: int) -> NoReturn:
    """End the process; under threads of the engines that may be at work still, the interpreter must not be taken down."""
    if code == STOPPED or threading.active_count() > 1:
        for stream in (sys.stdout, sys.stderr):
            with suppress(BrokenPipeError):  # who read it has gone
                stream.flush()
        os._exit(code)
    sys.exit(code)


STOPPED = 130
_GLOBAL = {"--project-dir": 1, "--target": 1, "--format": 1, "--log-format": 1, "--quiet": 0, "--no-color": 0}


def _hoisted(arguments: list[str]) -> list[str]:
    """Global options may also stand behind the command."""
    front: list[str] = []
    rest: list[str] = []
    index = 0
    while index < len(arguments):
        name = arguments[index].split("=")[0]
        own = name == "--format" and arguments[index + 1 : index + 2] == ["csv"]
        width = 1 + (_GLOBAL.get(name, 0) if "=" not in arguments[index] else 0)
        (front if name in _GLOBAL and not own else rest).extend(arguments[index : index + width])
        index += width
    return front + rest


def call(arguments: list[str]) -> int:
    """The exit code of a call; what went wrong is said on stderr, definitions with --format json on stdout."""
    log = Log("json" if _said(arguments, "--log-format") == "json" else "text")
    try:
        code = app(arguments, standalone_mode=False)
    except SegueError as error:
        if isinstance(error, DefinitionErrors) and _said(arguments, "--format") == "json":
            _print_problems(error)
        log.error(error)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except typer.Exit as stop:
        code = stop.exit_code
    except Exception as error:  # noqa: BLE001  the last resort: never a stack trace for a user
        if not isinstance(error.__cause__, KeyboardInterrupt):  # the engine wraps Ctrl-C
            return _unexpected(error, log)
        code = STOPPED
    if code == STOPPED:
        log.fail("SEG-0130", "stopped; what is published stands whole, and of the rest nothing is left")
    return code if isinstance(code, int) else 0


def _said(arguments: list[str], option: str) -> str | None:
    """What a call says of a global option, the last time that it does."""
    found = None
    for index, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == option:
            found = value if equals else next(iter(arguments[index + 1 :]), None)
    return found


def _print_problems(error: DefinitionErrors) -> None:
    import json

    typer.echo(json.dumps([vars(problem) for problem in error.problems], ensure_ascii=False))


def _unexpected(error: Exception, log: Log) -> int:
    shown = getattr(error, "show", None)
    if callable(shown):  # a mistake in the call, which click words well
        if log.form == "json":
            log.fail("SEG-0900", error.format_message())  # type: ignore[attr-defined]
        else:
            shown()
        return int(getattr(error, "exit_code", 2))
    message = f"{type(error).__name__}: this should not happen; SEGUE_DEBUG=1 shows where it did"
    trace = "".join(traceback.format_exception(error)) if os.environ.get("SEGUE_DEBUG") else ""
    log.fail("SEG-0999", trace or message, f"{trace}SEG-0999 {message}")
    return 1


if __name__ == "__main__":
    main()

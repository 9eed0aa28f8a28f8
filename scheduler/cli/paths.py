"""Which files a command means, and which ledger: what was typed, else the environment, else ./callboard.yaml.

Finds, loads and opens, and turns what is wrong with them into one clear refusal. What stands in the files is
`scheduler.config`'s, what stands in the ledger `scheduler.ledger`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.shown import Refusal, count
from scheduler.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from scheduler.config import Problem
    from scheduler.ledger.snapshot import Snapshot
    from scheduler.model import Config

DEFAULT_FILE = Path("callboard.yaml")

paths_argument = click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
"""PATHs, as every command that reads schedules takes them."""


def chosen(paths: Sequence[Path]) -> list[Path]:
    """The files to read. Raises `click.UsageError` when none are named and none are found."""
    if paths:
        return list(paths)
    if named := _environment().config:
        return [Path(named)]
    if DEFAULT_FILE.exists():
        return [DEFAULT_FILE]
    raise click.UsageError("no PATH is given, CALLBOARD_CONFIG is not set, and there is no ./callboard.yaml")


def _environment() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def loaded(paths: Sequence[Path], exit_code: int = 1) -> Config:
    """The configuration, whole; else every problem on stderr and a `Refusal`."""
    from scheduler.config import read

    config, problems = read(chosen(paths))
    if config is None:
        for problem in problems:
            click.echo(rendered(problem), err=True)
        raise Refusal(f"the configuration has {summed_up(problems)}", exit_code)
    return config


def rendered(problem: Problem) -> str:
    """A problem as its room renders it, with its severity in colour."""
    colour = "red" if problem.severity == "error" else "yellow"
    return problem.render().replace(
        f" {problem.severity}: ", f" {click.style(problem.severity, fg=colour)}: ", 1
    )


def summed_up(problems: Sequence[Problem]) -> str:
    """`2 errors, 1 warning`."""
    errors = sum(problem.severity == "error" for problem in problems)
    return f"{count(errors, 'error')}, {count(len(problems) - errors, 'warning')}"


ledger_option = click.option(
    "--ledger",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The ledger; else CALLBOARD_LEDGER's, else the configuration's.",
)
"""`--ledger`, as every command that reads a ledger takes it."""


@contextmanager
def opened(ledger: Path | None) -> Iterator[Snapshot]:
    """The ledger, open for reading; a `Refusal` when it is not there, damaged, or of another version."""
    from scheduler.ledger.errors import LedgerError
    from scheduler.ledger.snapshot import Snapshot

    try:
        with Snapshot.open(named_or_usual(ledger)) as snapshot:
            yield snapshot
    except LedgerError as error:
        raise Refusal(str(error)) from None


def named_ledger() -> Path | None:
    """The ledger that the environment names; it wins over the configuration's."""
    named = _environment().ledger
    return Path(named) if named else None


def named_or_usual(ledger: Path | None) -> Path:
    """The ledger that was typed, else the environment's, else the configuration's."""
    return ledger or named_ledger() or Path(loaded(()).service.ledger)

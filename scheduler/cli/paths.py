"""Which files a command means: what was typed, else the environment, else ./callboard.yaml.

Finds and loads them, and turns what is wrong with them into one clear refusal. What stands in them is
`scheduler.config`'s; which ledger is meant is told in `places`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.shown import Refusal, count
from scheduler.settings import Settings, SettingsError, read_settings

if TYPE_CHECKING:
    from scheduler.config import Problem
    from scheduler.model import Config

DEFAULT_FILE = Path("callboard.yaml")

paths_argument = click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
"""PATHs, as every command that reads schedules takes them."""


def chosen(paths: Sequence[Path]) -> list[Path]:
    """The files to read. Raises `click.UsageError` when none are named and none are found."""
    if paths:
        return list(paths)
    if named := environment().config:
        return [Path(named)]
    if DEFAULT_FILE.exists():
        return [DEFAULT_FILE]
    raise click.UsageError(
        "no configuration is named, CALLBOARD_CONFIG is not set, and there is no ./callboard.yaml"
    )


def environment() -> Settings:
    """What the environment says; `click.UsageError` where that can't be used."""
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

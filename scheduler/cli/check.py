"""`callboard check`: the loader of `run`, and every problem it found.

Answers whether these files can be run, and what comes next if they are. It promises nothing, writes nothing
and, without `--online`, asks nobody but its own ledger. The rules it reports are `scheduler.config`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.moments import rfc3339, wall_time
from scheduler.cli.paths import chosen, paths_argument, rendered, summed_up
from scheduler.cli.places import meant
from scheduler.cli.shown import conventions, count, document, write

if TYPE_CHECKING:
    from scheduler.config import Problem
    from scheduler.model import Config, Occurrence

CLEAN, ERRORS, ONLY_WARNINGS = 0, 1, 3
NEXT_WITHIN_DAYS = 366


@click.command()
@paths_argument
@click.option("--online", is_flag=True, help="Ask the service for each persona and replica, too.")
@click.option("--strict", is_flag=True, help="Exit 3 when there are warnings.")
@conventions
def check(paths: Sequence[Path], online: bool, strict: bool, as_json: bool) -> int:
    """Check schedules and show every problem at once.

    PATH is a YAML file or a directory of them; without one, CALLBOARD_CONFIG or ./callboard.yaml is read.
    Exits 0 when all is well, 1 with errors, 2 when the command itself is wrong, 3 with only warnings
    and --strict.
    """
    from scheduler.config import read

    config, problems = read(chosen(paths))
    if config:
        path = chosen(paths)[0]
        problems = (*problems, *_unsigned(config, path), *_moved(config, path))
    if config and online:
        problems = (*problems, *_asked(config))
    errors = sum(problem.severity == "error" for problem in problems)
    (_show_json if as_json else _show)(config, problems, errors)
    if errors:
        return ERRORS
    return ONLY_WARNINGS if problems and strict else CLEAN


def _unsigned(config: Config, path: Path) -> Iterator[Problem]:
    """Secrets that sign posts and can't be read here: `run` would not start without one."""
    from scheduler.config import Problem
    from scheduler.settings import SettingsError, read_secret

    for ref in dict.fromkeys(config.webhook_secrets.values()):
        try:
            read_secret(ref.source, ref.name)
        except SettingsError as error:
            words = f"a webhook's secret can't be read here, and `run` needs it: {error}"
            yield Problem(str(path), 0, 0, words, severity="warning")


def _moved(config: Config, path: Path) -> Iterator[Problem]:
    """Unnamed times that are other ones than a house last went by, if its ledger can be read here (S1)."""
    from scheduler.changes import MOVED_TIMES, moved_times
    from scheduler.config import Problem
    from scheduler.ledger.errors import LedgerError
    from scheduler.ledger.recalling import newest
    from scheduler.ledger.snapshot import Snapshot

    try:
        with Snapshot.open(meant(None, lambda: config.service.ledger)) as snapshot:
            before = newest(snapshot) or {}
    except LedgerError:
        return
    for name in moved_times(before, config.schedules):
        words = f"schedule {name} has other times than the house last went by: {MOVED_TIMES}"
        yield Problem(str(path), 0, 0, words, severity="warning")


def _asked(config: Config) -> Sequence[Problem]:
    """What the service says of every persona and replica that the schedules name."""
    from scheduler import app

    return app.check_online(config)


def _next(config: Config) -> Occurrence | None:
    """The next promise that will be kept."""
    from scheduler.clock import Clock
    from scheduler.planner import occurrences

    now = Clock().now()
    coming = occurrences(config.schedules.values(), now, now + NEXT_WITHIN_DAYS * 86_400)
    return next((each for each in islice(coming, 100_000) if each.skip is None), None)


def _people(config: Config) -> int:
    return len({person.id for schedule in config.schedules.values() for person in schedule.participants})


def _show(config: Config | None, problems: Sequence[Problem], errors: int) -> None:
    write(rendered(problem) for problem in problems)
    if problems:
        click.echo(summed_up(problems))
    if config and not errors:
        parts = [count(len(config.schedules), "schedule"), count(_people(config), "participant")]
        click.echo(f"{click.style('ok', fg='green')}: {', '.join(parts)}, next: {_when(_next(config))}")


def _when(coming: Occurrence | None) -> str:
    if coming is None:
        return f"none within {NEXT_WITHIN_DAYS} days"
    return f"{coming.key} at {wall_time(coming.due, coming.timezone)} {coming.timezone}"


def _show_json(config: Config | None, problems: Sequence[Problem], errors: int) -> None:
    coming = _next(config) if config else None
    document(
        {
            "ok": errors == 0,
            "errors": errors,
            "warnings": len(problems) - errors,
            "problems": [_as_json(problem) for problem in problems],
            "schedules": len(config.schedules) if config else None,
            "participants": _people(config) if config else None,
            "next": coming and {"key": coming.key, "due": rfc3339(coming.due)},
        }
    )


def _as_json(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line or None,
        "column": problem.column or None,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
    }

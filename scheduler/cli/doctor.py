"""`callboard doctor`: is everything there that the daemon needs, and what puts right what isn't?

Shows the findings as they come, one line each, the fix below. What is looked at is `scheduler.app.doctor`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.paths import chosen, paths_argument
from scheduler.cli.places import ledger_option, meant
from scheduler.cli.shown import conventions, count, document, folded, write

if TYPE_CHECKING:
    from scheduler.app import Case, Finding
    from scheduler.ledger import Place

COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}
VERDICT_COLUMNS, CHECK_COLUMNS = 9, 19


@click.command()
@paths_argument
@click.option(
    "--create-test", is_flag=True, help="Make a conversation in test_mode, which is free, and look at it."
)
@ledger_option
@conventions
def doctor(paths: Sequence[Path], create_test: bool, ledger: Place | None, as_json: bool) -> int:
    """Look whether all is there that the daemon needs; each failure with its fix.

    PATH is a YAML file or a directory of them; without one, CALLBOARD_CONFIG or ./callboard.yaml is read.
    Nothing is written, and nothing is created but by --create-test. Exits 1 when anything failed.
    """
    import asyncio

    from scheduler import app
    from scheduler.clock import Clock

    found: list[Finding] = []

    def tell(finding: Finding) -> None:
        found.append(finding)
        if not as_json:
            _show(finding)

    asyncio.run(app.examine(_case(paths, ledger, create_test), Clock(), tell))
    failures = sum(each.verdict == "failed" for each in found)
    if as_json:
        document({"ok": not failures, "findings": [each._asdict() for each in found]})
    else:
        warnings = sum(each.verdict == "warning" for each in found)
        write(["", f"{count(failures, 'failure')}, {count(warnings, 'warning')}"])
    return 1 if failures else 0


def _case(paths: Sequence[Path], ledger: Place | None, create_test: bool) -> Case:
    from scheduler import app
    from scheduler.config import read

    config, problems = read(chosen(paths))
    place = meant(ledger, lambda: config.service.ledger) if config else None
    return app.Case(config, problems, place, create_test)


def _show(finding: Finding) -> None:
    verdict = click.style(f"{finding.verdict:<{VERDICT_COLUMNS}}", fg=COLOURS.get(finding.verdict))
    indent = VERDICT_COLUMNS + CHECK_COLUMNS
    write([f"{verdict}{finding.check:<{CHECK_COLUMNS}}{folded(indent, finding.said)}"])
    if finding.fix:
        write([" " * indent + folded(indent, f"fix: {finding.fix}")])

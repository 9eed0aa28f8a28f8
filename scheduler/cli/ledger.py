"""`callboard ledger`: the ledger as a whole. `copy` takes it elsewhere, `migrate` brings it up to date.

What is copied, and when nothing is, is `scheduler.ledger.copying`'s to say; here it is shown, with exit codes
that say whether trying later helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scheduler.cli.paths import loaded, paths_argument
from scheduler.cli.places import PlaceType, ledger_option, meant
from scheduler.cli.run import BAD_CONFIG, exit_codes
from scheduler.cli.shown import Refusal, aligned, conventions, count, document, write

if TYPE_CHECKING:
    from scheduler.ledger import Place

TOLD_EVERY = 20_000
"""Rows; shorter tables are done before anybody wonders."""


@click.group()
def ledger() -> None:
    """Copy a ledger to another place, or bring an older one up to date."""


@ledger.command()
@click.argument("source", metavar="FROM", type=PlaceType())
@click.argument("target", metavar="TO", type=PlaceType())
@conventions
def copy(source: Place, target: Place, as_json: bool) -> int:
    """Copy the whole ledger at FROM to TO, where none may be yet; both are paths or URLs.

    Nothing may write FROM meanwhile. The copy is counted and audited before it counts; when that fails,
    nothing is left at TO. Afterwards only one of the two may ever be run. Exits 0, 75 when trying later may
    help (a callboard is at work on FROM), 1 when it was refused.
    """
    from scheduler.ledger.copying import copy as copied

    with _refusals():
        rows = copied(source, target, _tell)
    if as_json:
        document({"from": str(source), "to": str(target), "rows": rows})
    else:
        write(aligned(("", f"{number:,}", table) for table, number in rows.items()))
        write([f"ok: {count(sum(rows.values()), 'row')} copied to {target}, all accounted for"])
    click.echo(f"From now on run {target} alone: who runs both makes every conversation twice.", err=True)
    return 0


@ledger.command()
@paths_argument
@ledger_option
@conventions
def migrate(paths: Sequence[Path], ledger: Place | None, as_json: bool) -> int:
    """Bring the ledger to this version's tables; an empty one is begun.

    `run` does so by itself; this is for doing it first, as before a rolling upgrade. Workers of a ledger in
    PostgreSQL may run meanwhile, those of one version before, too; twice does no harm. Exits 0; 75 when
    trying later may help, 77 without permission, 78 when it can't be done.
    """
    from scheduler.clock import Clock
    from scheduler.ledger.upgrading import bring_up

    config = loaded(paths, BAD_CONFIG)
    place = meant(ledger, lambda: config.service.ledger)
    with exit_codes():
        had, has = bring_up(place, config.account.base_url, Clock().now())
    if as_json:
        document({"ledger": str(place), "had": had, "has": has})
    else:
        write([f"{place}: had version {had}, has version {has}"])
    return 0


def _tell(table: str, done: int, rows: int) -> None:
    if done % TOLD_EVERY == 0:
        click.echo(f"{table}: {done:,} of {rows:,}", err=True)


@contextmanager
def _refusals() -> Iterator[None]:
    from scheduler.ledger import LedgerError, LedgerHeld, LedgerUnavailable

    with exit_codes():
        try:
            yield
        except (LedgerHeld, LedgerUnavailable):
            raise
        except LedgerError as error:
            raise Refusal(str(error)) from None

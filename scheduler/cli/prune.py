"""`callboard prune --older 180d`: forgets what has long been over; the counts stay.

It writes, so it works while no daemon does: a daemon prunes by itself (`service.keep`). What counts as over
is the ledger's to say; `--dry-run` only reads, at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from scheduler.cli.durations import Age
from scheduler.cli.moments import rfc3339
from scheduler.cli.paths import loaded
from scheduler.cli.places import ledger_option, meant, opened
from scheduler.cli.run import TRY_LATER, exit_codes
from scheduler.cli.shown import Refusal, conventions, count, document, write

if TYPE_CHECKING:
    from scheduler.ledger import Place
    from scheduler.ledger.pruning import Total


@click.command()
@click.option(
    "--older", "older_s", type=Age(), required=True, help="What has been over for so long: 180d, at least 8d."
)
@click.option("--dry-run", is_flag=True, help="Only say how much it would be.")
@ledger_option
@conventions
def prune(older_s: int, dry_run: bool, ledger: Place | None, as_json: bool) -> int:
    """Forget records that have long been over, with their facts; their counts stay.

    What is not over, or younger than 8 days, is never forgotten. A running daemon holds the ledger: then this
    exits 75, and `service.keep` makes the daemon do it.
    """
    from scheduler.clock import Clock
    from scheduler.policy import KEEP_AT_LEAST_S

    if older_s < KEEP_AT_LEAST_S:
        raise click.UsageError(
            "--older: what is younger than 8 days might still be caught up; write 180d, say"
        )
    now, place = Clock().now(), meant(ledger, lambda: loaded(()).service.ledger)
    with opened(place) as snapshot:
        stages, base_url = snapshot.prunable(now - older_s), snapshot.base_url()
    total = None if dry_run else _prune(place, base_url, now - older_s, now)
    if as_json:
        document(_as_json(now - older_s, stages, total))
    else:
        write([_told(now - older_s, stages, total)])
    return 0


def _prune(place: Place, base_url: str, before: float, now: float) -> Total:
    import asyncio

    from scheduler.ledger import Ledger, LedgerHeld
    from scheduler.ledger.pruning import prune as forget

    async def go_on() -> bool:
        return True

    with exit_codes():
        try:
            book = Ledger.open(place, base_url, now)
        except LedgerHeld as held:
            fix = "write service.keep, such as keep: 180d, and the daemon prunes once a day"
            raise Refusal(f"{held}; or {fix}", TRY_LATER) from None
        try:
            return asyncio.run(forget(book, before, now, go_on))
        finally:
            book.close()


def _as_json(before: float, stages: Mapping[str, int], total: Total | None) -> dict[str, object]:
    return {
        "dry_run": total is None,
        "over_before": rfc3339(before),
        "records": sum(stages.values()) if total is None else total.records,
        "stages": stages,
        "facts": total and total.facts,
        "generations": total and total.generations,
    }


def _told(before: float, stages: Mapping[str, int], total: Total | None) -> str:
    parts = ", ".join(f"{number:,} {stage}" for stage, number in stages.items())
    records = count(sum(stages.values()) if total is None else total.records, "record")
    what = f"{records} over before {rfc3339(before)}{f' ({parts})' if parts else ''}"
    if total is None:
        return f"would forget {what}"
    return f"forgot {what}, {count(total.facts, 'fact')}, {count(total.generations, 'configuration')}"

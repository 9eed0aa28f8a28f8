"""`callboard ls`: the records of the ledger, and how a record is shown wherever it is.

Reads a snapshot, also while the daemon runs. Join links are secrets: they show with `--links` only. What a
record's stage means is `scheduler.lifecycle`'s.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from jobs.model import Address
from scheduler.cli.moments import by_local_date, heading, rfc3339
from scheduler.cli.places import ledger_option, opened
from scheduler.cli.shown import aligned, as_text, conventions, count, write
from scheduler.facts import Stage
from scheduler.record import Delivery, DeliveryState, Record

if TYPE_CHECKING:
    from scheduler.ledger import Place

COLOURS = {
    Stage.CREATING: "yellow",
    Stage.LIVE: "green",
    Stage.MISSED: "red",
    Stage.FAILED: "red",
}
LATE_FROM_S = 1.0
"""Being later than this is shown to people."""


@click.command()
@click.option(
    "--stage",
    type=click.Choice([str(stage) for stage in Stage]),
    metavar="STAGE",
    help=f"Only these: {', '.join(Stage)}.",
)
@click.option("--schedule", metavar="NAME", help="Only this schedule's.")
@click.option("--participant", metavar="ID", help="Only this person's, by id.")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="Only this local date's."
)
@click.option("--links", is_flag=True, help="Show the join links, too.")
@ledger_option
@conventions
def ls(
    stage: str | None,
    schedule: str | None,
    participant: str | None,
    day: datetime | None,
    links: bool,
    ledger: Place | None,
    as_json: bool,
) -> int:
    """List the ledger's records, by due time."""
    from scheduler.ledger.snapshot import Filters

    filters = Filters(stage, schedule, participant, day.date().isoformat() if day else None)
    with opened(ledger) as snapshot:
        for hold in snapshot.holds():
            click.echo(f"hold: {hold.reason} since {rfc3339(hold.since)}", file=sys.stderr)
        records = snapshot.records(filters)
        if as_json:
            write(as_text(fields(record, links)) for record in records)
        else:
            write(listed(records, links))
    return 0


def fields(record: Record, links: bool) -> dict[str, object]:
    """A record as `--json` shows it; its names are a promise (configs/README.md)."""
    shown: dict[str, object] = {
        "key": record.key,
        "schedule": record.schedule,
        "slot": record.slot,
        "date": record.date,
        "participant": record.participant,
        "due": rfc3339(record.due),
        "stage": record.stage,
        "reason": record.reason,
        "attempt": record.attempt,
        "conversation_id": record.conversation_id,
        "created_at": rfc3339(record.created_at),
        "ended_at": rfc3339(record.ended_at),
        "lateness_s": record.lateness_s,
        "deliveries": [_delivery(each) for each in record.deliveries],
    }
    return {**shown, "conversation_url": record.url} if links else shown


def _delivery(each: Delivery) -> dict[str, object]:
    state = each.state
    return {
        "channel": each.address.channel,
        "address": each.address.place or None,
        "state": state,
        "at": rfc3339(each.at),
    }


def spoken(address: Address) -> str:
    """`log`, `mail ana@example.com`, `webhook example.com`."""
    return " ".join(filter(None, [address.channel, address.place]))


def listed(records: Iterable[Record], links: bool) -> Iterator[str]:
    """Records as people read them: by local date, then how many stand in each stage."""
    tally: Counter[str] = Counter()
    for day, rows in by_local_date(records):
        tally.update(record.stage for record in rows)
        yield heading(day)
        yield from aligned(_row(record, links) for record in rows)
        yield ""
    parts = [f"{tally[stage]:,} {stage}" for stage in Stage if tally[stage]]
    yield ": ".join([count(tally.total(), "record"), *([", ".join(parts)] if parts else [])])


def _row(record: Record, links: bool) -> tuple[str, ...]:
    due = (rfc3339(record.due) or "")[11:].replace(":00Z", "Z")
    state = click.style(outcome(record), fg=COLOURS.get(record.stage))
    remarks = [*map(progress, record.deliveries), *_lateness(record)]
    return ("", due, state, record.key, ", ".join(remarks), (record.url or "") if links else "")


def outcome(record: Record) -> str:
    """`live`, `ended left`, `missed no_capacity`."""
    return f"{record.stage} {record.reason}" if record.reason else str(record.stage)


def progress(each: Delivery) -> str:
    """How far a delivery has come: `log` when it is there, else what became of it."""
    to = spoken(each.address)
    match each.state:
        case DeliveryState.DELIVERED:
            return to
        case DeliveryState.OPEN:
            return f"{to} open"
        case DeliveryState.GIVEN_UP:
            return f"{to} given up ({each.reason})"


def _lateness(record: Record) -> list[str]:
    late_s = record.lateness_s or 0.0
    return [f"{late_s:.0f} s late"] if late_s > LATE_FROM_S else []

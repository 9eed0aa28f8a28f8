"""`callboard explain KEY`: one record's whole story, fact by fact.

Shows what the ledger was told, in the order in which it was told, and where that leaves the record now. It
judges nothing and shows no join link.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.model import Address
from scheduler.cli.ls import fields, outcome, progress, spoken
from scheduler.cli.moments import rfc3339
from scheduler.cli.paths import ledger_option, opened
from scheduler.cli.shown import Refusal, aligned, conventions, document, write
from scheduler.record import Record

if TYPE_CHECKING:
    from scheduler.ledger.snapshot import Snapshot, Told

INSTANTS = {"at", "since", "created_at"}
"""The fields of facts that are instants."""
SECRETS = {"url"}
"""The field of facts that is a join link; the ledger keeps it with the record."""


@click.command()
@click.argument("key")
@ledger_option
@conventions
def explain(key: str, ledger: Path | None, as_json: bool) -> int:
    """Tell one record's whole story.

    KEY is schedule/slot/date/participant, as `ls` and `plan` show it.
    """
    with opened(ledger) as snapshot:
        record = snapshot.record(key)
        if record is None:
            raise Refusal(_unknown(key, snapshot))
        story = snapshot.story(key)
    if as_json:
        document({**fields(record, links=False), **_more(record), "story": [_told(each) for each in story]})
    else:
        write(_text_lines(record, story))
    return 0


def _unknown(key: str, snapshot: Snapshot) -> str:
    near = get_close_matches(key, snapshot.keys(), n=1)
    hint = f"did you mean {near[0]}?" if near else "`callboard ls` shows the keys"
    return f"no record has the key {key}; {hint}"


def _more(record: Record) -> dict[str, object]:
    return {
        "opens": rfc3339(record.opens),
        "shuts": rfc3339(record.shuts),
        "strays": [
            {"conversation_id": each.conversation_id, "ended": each.end_at is None} for each in record.strays
        ],
    }


def _told(told: Told) -> dict[str, object]:
    return {"at": rfc3339(told.at), "fact": told.kind, "data": _readable(told)}


def _readable(told: Told) -> dict[str, object]:
    """What a fact says, for people and programs: instants as text, addresses without their secrets."""
    data = json.loads(told.data)
    return {name: _shown(name, value) for name, value in data.items() if name not in SECRETS}


def _shown(name: str, value: Any) -> object:
    if value is None:
        return None
    if name in INSTANTS:
        return rfc3339(value)
    if name == "address":
        return spoken(Address(*value))
    if name == "addresses":
        return [spoken(Address(*each)) for each in value]
    return value


def _text_lines(record: Record, story: list[Told]) -> Iterator[str]:
    yield click.style(record.key, bold=True)
    yield from aligned(("", name, value) for name, value in _facts_of(record) if value)
    yield ""
    yield from aligned(("", rfc3339(told.at) or "", told.kind, _said(told)) for told in story)


def _facts_of(record: Record) -> Iterator[tuple[str, str | None]]:
    yield "stage", outcome(record)
    yield "due", rfc3339(record.due)
    yield "window", f"{rfc3339(record.opens)} to {rfc3339(record.shuts)}"
    yield "attempt", str(record.attempt)
    yield "turned away", record.turned_away
    yield "conversation", record.conversation_id
    yield "created", rfc3339(record.created_at)
    yield "ended", rfc3339(record.ended_at)
    yield "delivery", ", ".join(map(progress, record.deliveries))
    yield "strays", ", ".join(each.conversation_id for each in record.strays)


def _said(told: Told) -> str:
    """What a fact says beyond its kind and its time."""
    said = {name: value for name, value in _readable(told).items() if value and value != rfc3339(told.at)}
    return " ".join(f"{name}={_flat(value)}" for name, value in said.items())


def _flat(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

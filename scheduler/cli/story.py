"""How an explanation is shown: its chain of links, and a record's story, fact by fact.

Words are broken to the width of the terminal, keys never; what any of it means is `scheduler.explaining`'s.
"""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from jobs.model import Address
from scheduler.cli.ls import outcome, progress, spoken
from scheduler.cli.moments import rfc3339
from scheduler.cli.shown import aligned
from scheduler.record import Record

if TYPE_CHECKING:
    from scheduler.explaining import Explanation
    from scheduler.ledger.snapshot import Told

COLOURS = {"holds": "green", "delays": "yellow", "stops": "red"}
INSTANTS = {"at", "since", "created_at"}
"""The fields of facts that are instants."""
SECRETS = {"url"}
"""The field of facts that is a join link; the ledger keeps it with the record."""
WIDEST = 120
_LINK, _VERDICT = 8, 6


def chain_lines(found: Explanation) -> Iterator[str]:
    """The chain, a link a row: what it is, its verdict, and why, broken to the terminal's width."""
    yield click.style(found.key, bold=True)
    for link, verdict, words in found.chain:
        shown = click.style(f"{verdict:{_VERDICT}}", fg=COLOURS.get(verdict))
        yield from hanging(f"  {link:{_LINK}}  {shown}  ", words)


def hanging(head: str, words: str) -> Iterator[str]:
    """Words behind a head, broken to the terminal's width below each other."""
    indent = len(click.unstyle(head))
    width = min(WIDEST, shutil.get_terminal_size().columns)
    first, *rest = textwrap.wrap(words, max(20, width - indent), break_on_hyphens=False) or [""]
    yield f"{head}{first}"
    yield from (f"{'':{indent}}{line}" for line in rest)


def chain_json(found: Explanation) -> list[dict[str, str]]:
    """The chain as `--json` shows it."""
    return [{"link": link, "verdict": verdict, "words": words} for link, verdict, words in found.chain]


def more(record: Record) -> dict[str, object]:
    """What `explain` has of a record beside `ls`'s fields."""
    return {
        "opens": rfc3339(record.opens),
        "shuts": rfc3339(record.shuts),
        "strays": [
            {"conversation_id": each.conversation_id, "ended": each.end_at is None} for each in record.strays
        ],
    }


def told_json(told: Told) -> dict[str, object]:
    """One fact of a story."""
    return {"at": rfc3339(told.at), "fact": told.kind, "data": _readable(told)}


def story_lines(record: Record, story: list[Told]) -> Iterator[str]:
    """A record's own numbers, and its facts in the order in which they were noted."""
    yield from aligned(("", name, value) for name, value in _facts_of(record) if value)
    yield ""
    yield from aligned(("", rfc3339(told.at) or "", told.kind, _said(told)) for told in story)


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

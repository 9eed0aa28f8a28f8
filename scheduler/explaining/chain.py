"""The chain of one key, link by link, from what is planned and what was told.

A link that stops ends the chain: what comes behind it never came about, and only the outcome follows.
"""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.explaining import planned, told
from scheduler.explaining.subject import Subject
from scheduler.explaining.values import Explanation, Known, Link, Part, Story, Verdict
from scheduler.facts import Stage
from scheduler.model import Occurrence
from scheduler.planner import find
from scheduler.policy import PROMISE_AHEAD_S
from scheduler.record import Record

STOPS, OPEN = Verdict.STOPS, Verdict.OPEN


def explain(
    key: str, known: Known, record: Record | None = None, story: Story = (), held: int | None = None
) -> Explanation:
    """Why the promise `key` came to what it came to, or what will come of it.

    `record` and `story` are what the ledger has of it, if anything; `held` is how many conversations were in
    use when it opened. ValueError when `key` is not of the form schedule/slot/date/participant.
    """
    if key.count("/") != 3:
        raise ValueError(f"{key} is no key: schedule/slot/date/participant")
    promised = None if known.schedules is None else find(known.schedules.values(), key)
    subject = Subject(key=key, known=known, occurrence=promised, record=record, story=story, held=held)
    return Explanation(key, tuple(_until_stopped(subject)), promised)


def _until_stopped(s: Subject) -> Iterator[Link]:
    stopped = False
    for link in _links(s):
        if not stopped:
            yield link
        stopped = stopped or link.verdict is STOPS
    yield _outcome(s, stopped)


def _links(s: Subject) -> Iterator[Link]:
    yield planned.schedule(s)
    if zone := planned.zone(s):
        yield zone
    yield planned.calendar(s)
    yield planned.pause(s)
    if s.record is not None and not _ahead(s.record, s):
        yield told.capacity(s, s.record)
        yield from filter(None, [told.post(s, s.record), told.delivery(s, s.record)])
    elif s.occurrence is not None and s.occurrence.shuts >= s.known.now:
        yield planned.ahead(s, s.occurrence)


def _ahead(record: Record, s: Subject) -> bool:
    return record.stage is Stage.PLANNED and record.opens > s.known.now


def _outcome(s: Subject, stopped: bool) -> Link:
    if s.record is not None:
        link = told.outcome(s, s.record)
        if stopped and s.record.stage is Stage.PLANNED:
            return Link(Part.OUTCOME, STOPS, "planned, and as things stand it will not be created")
        return link
    if s.occurrence is None:
        return Link(Part.OUTCOME, STOPS, "nothing is promised")
    if stopped:
        verb = "will not be" if s.occurrence.opens > s.known.now else "was not"
        return Link(Part.OUTCOME, STOPS, f"it {verb} created")
    return Link(Part.OUTCOME, *_unwritten(s, s.occurrence))


def _unwritten(s: Subject, promise: Occurrence) -> tuple[Verdict, str]:
    """What the configuration promises and the ledger hasn't."""
    known, opens = s.known, promise.opens
    if opens > known.now:
        written = s.clock(max(known.now, opens - PROMISE_AHEAD_S))
        return OPEN, f"to come: written at {written}, created from {s.clock(opens)}"
    if known.born is not None and opens <= known.born:
        return STOPS, f"it opened before the ledger began, at {s.clock(known.born)}: such are not created"
    if known.promised_until is not None and opens > known.promised_until:
        return _not_looked_at(s, promise, known.promised_until)
    return STOPS, (
        "it opened before this configuration was in force, which does not create such, "
        "or its record was pruned"
    )


def _not_looked_at(s: Subject, promise: Occurrence, since: float) -> tuple[Verdict, str]:
    away = f"no daemon has looked at this ledger since it opened (it wrote until {s.clock(since)})"
    if promise.shuts >= s.known.now:
        return OPEN, f"{away}; started before {s.clock(promise.shuts)}, it still creates it"
    return STOPS, f"{away}; it shut at {s.clock(promise.shuts)}, and the next start says that it was missed"

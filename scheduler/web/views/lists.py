"""Occurrences and people: lists that are read a page at a time, and each one's own page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from itertools import islice
from urllib.parse import urlencode

from jobs.model import Instant
from scheduler.facts import Stage
from scheduler.ledger import browsing, pauses, recalling
from scheduler.ledger.browsing import Place
from scheduler.ledger.snapshot import Filters, Snapshot
from scheduler.model import Occurrence
from scheduler.planner import find
from scheduler.record import DeliveryState, Record
from scheduler.web.pages import occurrence_url, person_url
from scheduler.web.pages.roster import next_occurrences
from scheduler.web.pages.story import lines
from scheduler.web.views.seen import NotFound, Page, Show

ROWS = 50
NEAR = 5
COMPARED = 1000


def occurrences(show: Show, snapshot: Snapshot, query: Mapping[str, str]) -> Page:
    """What the ledger holds, filtered, a page at a time, the newest first."""
    chosen = _filters(query)
    found = browsing.listed(snapshot.driver, chosen, _after(query), ROWS + 1, newest=True)
    asked = {name: value for name in Filters.__slots__ if (value := getattr(chosen, name))}
    return show.page(
        "Occurrences",
        "occurrences",
        chosen=chosen,
        schedules=sorted(show.seen.config.schedules),
        oldest_first=False,
        **_paged("/occurrences", asked, found, query),
    )


def occurrence(show: Show, snapshot: Snapshot, query: Mapping[str, str]) -> Page:
    """One occurrence: what it is, why, and its story."""
    key, seen = query.get("key", ""), show.seen
    record = snapshot.record(key)
    promised = None if record else find(seen.config.schedules.values(), key)
    if record is None and promised is None:
        raise NotFound(f"No promise has the key “{key}”.", _near(key, snapshot))
    of: Record | Occurrence = record or promised  # type: ignore[assignment]
    known = recalling.known(snapshot, seen.config.schedules, seen.config.account, seen.now)
    return show.page(
        f"{of.schedule} {of.slot} {of.date}",
        "occurrence",
        key=key,
        schedule=of.schedule,
        slot=of.slot,
        participant=of.participant,
        timezone=of.timezone,
        due=of.due,
        opens=of.opens,
        record=record,
        link=record.url if record and seen.may_act and record.stage is Stage.LIVE else None,
        actions=_actions(record, seen.now) if seen.may_act else (),
        chain=recalling.explained(snapshot, key, known).chain,
        story=lines(snapshot.story(key)),
    )


def people(show: Show, _: Snapshot, query: Mapping[str, str]) -> Page:
    """Everybody in the rosters, or those who match."""
    q, start = query.get("q", "")[:100], _number(query.get("from", ""))
    found = show.roster.find(q) if q else list(show.roster.people.values())
    asked = {"q": q} if q else {}
    more = {**asked, "from": start + ROWS}
    return show.page(
        "People",
        "people",
        q=q,
        total=len(show.roster.people),
        people=list(islice(found, start, start + ROWS)),
        first=_url("/people", asked) if start else None,
        next=_url("/people", more) if len(found) > start + ROWS else None,
    )


def person(show: Show, snapshot: Snapshot, query: Mapping[str, str]) -> Page:
    """One person: what comes, and what was."""
    id_, seen = query.get("id", ""), show.seen
    known = show.roster.people.get(id_)
    filters = Filters(participant=id_)
    found = browsing.listed(snapshot.driver, filters, _after(query), ROWS + 1, newest=True)
    if known is None and not found and not _after(query):
        raise NotFound(f"Nobody has the id “{id_}”.", _near_people(id_, show))
    mine = [each for each in pauses.in_force(snapshot.driver, seen.now) if each.scope == ("participant", id_)]
    return show.page(
        known.participant.name if known else id_,
        "person",
        id=id_,
        name=known.participant.name if known else id_,
        email=known.participant.email if known else None,
        timezone=known.timezone if known else (found[0].timezone if found else "UTC"),
        known=known is not None,
        pauses=mine,
        coming=next_occurrences(seen.config, known, seen.now) if known else [],
        **_paged("/person", {"id": id_}, found, query),
    )


def _actions(record: Record | None, now: Instant) -> list[tuple[str, str]]:
    """What can be asked of it as it stands now; the house has the last word."""
    if record is None or record.stage is Stage.PLANNED:
        return [("skip", "Skip")]
    if record.stage is Stage.LIVE:
        alive = any(each.not_after > now for each in record.deliveries)
        resend = [("resend", "Resend the link")] if alive else []
        return [*resend, ("end", "End")]
    if record.stage is Stage.FAILED:
        return [*([("retry", "Retry")] if record.shuts >= now else []), ("make-up", "Make up")]
    undelivered = all(each.state is not DeliveryState.DELIVERED for each in record.deliveries)
    if record.stage in (Stage.MISSED, Stage.SKIPPED, Stage.CANCELLED) or undelivered:
        return [("make-up", "Make up")]
    return []


def _paged(
    path: str, asked: Mapping[str, str], found: list[Record], query: Mapping[str, str]
) -> dict[str, object]:
    shown = found[:ROWS]
    more = {**asked, "after": f"{shown[-1].due!r} {shown[-1].key}"} if len(found) > ROWS else None
    return {
        "records": shown,
        "first": _url(path, asked) if query.get("after") else None,
        "next": _url(path, more) if more else None,
    }


def _url(path: str, asked: Mapping[str, object]) -> str:
    return f"{path}?{urlencode(asked)}" if asked else path


def _filters(query: Mapping[str, str]) -> Filters:
    """What is asked for; what can't be meant is left out."""
    stage, day = query.get("stage"), query.get("date")
    return Filters(
        stage if stage in set(Stage) else None,
        query.get("schedule") or None,
        query.get("participant") or None,
        day if day and _is_date(day) else None,
    )


def _is_date(text: str) -> bool:
    try:
        return 2 <= date.fromisoformat(text).year <= 9998 and len(text) == 10
    except ValueError:
        return False


def _after(query: Mapping[str, str]) -> Place | None:
    """Where the last page ended; what can't be read is the first page."""
    due, _, key = query.get("after", "").partition(" ")
    try:
        return Place(float(due), key)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def _near(key: str, snapshot: Snapshot) -> list[tuple[str, str]]:
    """Of the newest keys those that are most alike: comparing takes its time."""
    known = snapshot.keys()[:COMPARED]
    return [(occurrence_url(each), each) for each in get_close_matches(key[:200], known, n=NEAR)]


def _near_people(id_: str, show: Show) -> list[tuple[str, str]]:
    people: Iterable[str] = get_close_matches(id_[:64], list(show.roster.people)[:COMPARED], n=NEAR)
    return [(person_url(each), show.roster.people[each].participant.name) for each in people]

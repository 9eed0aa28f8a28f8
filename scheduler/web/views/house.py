"""*Schedules* and *Account*: what the configuration says and what came of it, and how hard the account is
driven."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from scheduler.desk import Breadth, Pause
from scheduler.explaining.words import form_words
from scheduler.ledger import browsing, pauses
from scheduler.ledger.browsing import Latest
from scheduler.ledger.snapshot import Snapshot
from scheduler.model import Schedule
from scheduler.planner import SlotTime
from scheduler.web.pages.roster import next_slots
from scheduler.web.pages.words import why
from scheduler.web.views.seen import Page, Show

ROWS = 40


class Row(NamedTuple):
    """One schedule."""

    name: str
    state: str
    look: str
    paused: bool
    when: str
    people: int
    coming: Sequence[SlotTime]
    last: Latest | None


def schedules(show: Show, snapshot: Snapshot, query: Mapping[str, str]) -> Page:
    """Each schedule: whether it is at work, what comes next, and what came of the last."""
    seen = show.seen
    paused = pauses.in_force(snapshot.driver, seen.now)
    names = sorted(seen.config.schedules)
    start = query.get("from", "")
    after = [name for name in names if name > start]
    shown = [seen.config.schedules[name] for name in after[:ROWS]]
    return show.page(
        "Schedules",
        "schedules",
        reload=seen.reload,
        rows=[_row(each, paused, show, snapshot) for each in shown],
        first="/schedules" if start else None,
        next=f"/schedules?{urlencode({'from': after[ROWS - 1]})}" if len(after) > ROWS else None,
    )


def account(show: Show, snapshot: Snapshot, _: Mapping[str, str]) -> Page:
    """How much of the account is used, what it taught us, and what it refuses."""
    seen, standing = show.seen, snapshot.standing(show.seen.now)
    terms = seen.config.account
    return show.page(
        "Account",
        "account",
        base_url=snapshot.base_url(),
        vitals=seen.vitals,
        follows=seen.vitals.crew is not None and not seen.vitals.crew.leads,
        held=standing.held,
        waiting=standing.waiting,
        cap=seen.vitals.cap,
        unknown=standing.unknown,
        strays=standing.strays,
        outbox=standing.outbox,
        plan=terms.concurrent_conversations,
        reserve=terms.reserve,
        per_s=terms.requests.per_s,
        longest_s=terms.max_call_duration_s,
        facts=[(at, _said(kind, data)) for at, kind, data in browsing.account_facts(snapshot.driver)],
        **show.alerts(snapshot),
    )


def _row(schedule: Schedule, paused: Iterable[Pause], show: Show, snapshot: Snapshot) -> Row:
    stopped = [each.scope.breadth for each in paused if _is_for(each, schedule.name)]
    state = "disabled" if not schedule.enabled else "paused" if stopped else "at work"
    return Row(
        name=schedule.name,
        state=state,
        look={"disabled": "off", "paused": "wait", "at work": "well"}[state],
        paused=Breadth.SCHEDULE in stopped,
        when=", ".join(form_words(when.form) for when in schedule.when[:4]),
        people=len(schedule.participants),
        coming=next_slots(schedule, show.seen.now),
        last=browsing.latest(snapshot.driver, schedule.name, show.seen.now),
    )


def _is_for(pause: Pause, schedule: str) -> bool:
    return pause.scope.breadth is Breadth.ALL or pause.scope == (Breadth.SCHEDULE, schedule)


def _said(kind: str, data: str) -> str:
    """One fact of the account in a sentence."""
    told = json.loads(data)
    by = f" by {told['by']}" if told.get("by") else ""
    because = f" (“{told['why']}”)" if told.get("why") else ""
    match kind:
        case "held":
            return f"Creation was held: {why(told.get('reason'))}"
        case "lifted":
            return f"The hold was lifted: {told.get('reason')}{by}{because}"
        case "paused" | "resumed":
            scope = " ".join(filter(None, [told.get("breadth"), told.get("name")]))
            return f"{kind.capitalize()}: {'everything' if scope == 'all' else scope}{by}{because}"
        case "skipped_ahead":
            return f"Taken back before its time: {told['key']}{by}{because}"
        case _:
            return f"{kind.replace('_', ' ').capitalize()}{by}{because}"

"""*Today* and *Next days*: what is live, what went wrong, what comes, and whether there is room for it."""

from __future__ import annotations

from collections.abc import Mapping

from jobs.model import Instant
from scheduler.facts import Stage
from scheduler.ledger import browsing
from scheduler.ledger.snapshot import Snapshot
from scheduler.web.pages import curve, times
from scheduler.web.pages import today as daily
from scheduler.web.views.seen import SLOTS_MAX, NotFound, Page, Show
from scheduler.zones import is_zone

SHOWN = 30
"""Rows of each list; the rest is a link away."""
DAYS = 7
HOUR_S = 3600.0


def today(show: Show, snapshot: Snapshot, _: Mapping[str, str]) -> Page:
    """What is live, what went wrong, and each zone's own day."""
    seen, roster, driver = show.seen, show.roster, snapshot.driver
    since, until = daily.span(seen.now, roster.zones)
    counted = browsing.day(driver, since, until)
    slots = show.plans.slots(seen.config, max(since, _hour(seen.now)), until)
    coming = [each for each in slots if each.at > seen.now]
    days = daily.days(counted, coming, seen.now)
    wrong = browsing.wrong(driver, seen.now - times.DAY_S, SHOWN + 1)
    troubled = [each for each in browsing.troubled(driver, SHOWN) if each not in wrong]
    live = browsing.live(driver, SHOWN + 1)
    standing = snapshot.standing(seen.now)
    due = [at for at in (standing.next_due, seen.vitals.next_due) if at is not None and at > seen.now]
    return show.page(
        "Today",
        "today",
        days=days,
        ahead=sum(day.stages[Stage.PLANNED] for day in days),
        troubles=[*troubled, *wrong][:SHOWN],
        more_troubles=len(wrong) + len(troubled) > SHOWN,
        live=live[:SHOWN],
        more_live=len(live) > SHOWN,
        running=standing.held,
        next_due=min(due, default=None),
        workers=standing.workers if len(standing.workers) > 1 else (),
        here=seen.vitals.crew and seen.vitals.crew.name,
        jobs_waiting=standing.jobs_waiting,
        behind_s=standing.behind_s(seen.now),
        **show.alerts(snapshot),
    )


def days(show: Show, _: Snapshot, query: Mapping[str, str]) -> Page:
    """The capacity curve of the next days against the cap."""
    seen, roster = show.seen, show.roster
    zone = query.get("zone") or roster.zone
    if not is_zone(zone):
        raise NotFound(f"“{zone}” is no time zone.", [("/days", f"The next days in {roster.zone}")])
    midnights = times.midnights(seen.now, zone, DAYS)
    schedules = seen.config.schedules
    begin = midnights[0] - curve.longest_s(schedules.values())
    coming = show.plans.slots(seen.config, begin, midnights[-1])
    cap = seen.vitals.cap
    return show.page(
        "Next days",
        "days",
        zone=zone,
        zones=roster.zones[:12],
        cap=cap,
        days=curve.days(schedules, coming, cap, midnights, seen.now),
        drawn_until=coming[-1].at if len(coming) == SLOTS_MAX else None,
    )


def _hour(now: Instant) -> Instant:
    """When this hour began: what was before stands in the ledger, and one look serves the whole hour."""
    return now // HOUR_S * HOUR_S

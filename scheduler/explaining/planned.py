"""The links that the configuration decides: schedule, zone, calendar, pause, and what lies ahead.

For a promise that is written its record speaks first: what was decided then is not decided again, whatever
the configuration says now.
"""

from __future__ import annotations

from datetime import date

from jobs.model import Instant
from scheduler.desk import Breadth, Pause
from scheduler.explaining.calendar import excluded, next_words, no_slot, no_such_slot, plan_words
from scheduler.explaining.subject import Subject
from scheduler.explaining.values import Link, Part, Verdict
from scheduler.explaining.words import counted, day_words, utc
from scheduler.facts import Ask, Asked, Cancelled, CancelReason, SkipReason, Stage
from scheduler.makeups import is_make_up
from scheduler.model import PARTICIPANT_ZONE, Account, Occurrence, Schedule
from scheduler.planner import occurrences, slots

HOLDS, DELAYS, STOPS, OPEN = Verdict.HOLDS, Verdict.DELAYS, Verdict.STOPS, Verdict.OPEN
_CLOCKS = {
    "gap": "; the clocks go forward over the time that is written",
    "fold": "; the clocks go back, and that time comes twice",
}


def reasoned(s: Subject, stage: Stage, reason: str) -> bool:
    """Whether the promise was closed for this reason."""
    return s.record is not None and (s.record.stage, s.record.reason) == (stage, reason)


def schedule(s: Subject) -> Link:
    """Is there such a schedule, does it run, and is the person in it."""
    return Link(Part.SCHEDULE, *_schedule(s))


def _schedule(s: Subject) -> tuple[Verdict, str]:
    if reasoned(s, Stage.CANCELLED, CancelReason.REMOVED):
        at = next((at for at, _ in s.facts(Cancelled)), None)
        when = f" at {s.clock(at)}" if at else ""
        return STOPS, f"taken out by an edit{when}: the configuration promises it no more"
    if reasoned(s, Stage.SKIPPED, SkipReason.DISABLED):
        return STOPS, f"{s.name} was disabled (`enabled: false`)"
    if s.schedule is None:
        if s.record is not None:
            now = "" if s.known.schedules is None else f"; no schedule is called {s.name} now"
            return HOLDS, f"promised by {s.name}{now}"
        return STOPS, f"no schedule is called {s.name}"
    if s.record is None and not s.schedule.enabled:
        return STOPS, f"{s.name} is disabled (`enabled: false`)"
    if missing := _not_in_it(s):
        return (STOPS, missing) if s.record is None else (HOLDS, f"promised by {s.name}; now {missing}")
    return HOLDS, f"{s.name}: {plan_words(s.schedule)}"


def _not_in_it(s: Subject) -> str | None:
    people = s.schedule.participants if s.schedule else ()
    if not people and s.participant is not None:
        return f"{s.name} has no participants: its keys end in `-`"
    if people and s.participant is None:
        return f"{s.name} is for {counted(len(people), 'person')}: its keys end in their ids"
    if people and all(each.id != s.participant for each in people):
        return f"{s.participant} is in none of its rosters"
    return None


def zone(s: Subject) -> Link | None:
    """Whose clock it is, and what time that is elsewhere."""
    if (promise := s.promise) is None:
        return None
    note = _CLOCKS.get(s.occurrence.note or "", "") if s.occurrence else ""
    whose = f", {s.participant}'s own" if _own_zone(s) else ""
    words = f"due {s.clock(promise.due)} in {promise.timezone}{whose}, {utc(promise.due)}{note}"
    return Link(Part.ZONE, HOLDS, words)


def _own_zone(s: Subject) -> bool:
    if s.schedule is None or all(when.timezone != PARTICIPANT_ZONE for when in s.schedule.when):
        return False
    people = {each.id: each.timezone for each in s.schedule.participants}
    return s.promise is not None and people.get(s.participant or "") == s.promise.timezone


def calendar(s: Subject) -> Link:
    """Does its calendar have this slot on this date."""
    return Link(Part.CALENDAR, *_calendar(s))


def _calendar(s: Subject) -> tuple[Verdict, str]:
    skip = s.record.reason if s.record is not None and s.record.stage is Stage.SKIPPED else None
    if s.record is None and s.occurrence is not None:
        skip = s.occurrence.skip
    if (day := date_of(s)) is None:
        return STOPS, f"{s.date} is no date: write YYYY-MM-DD"
    if skip == SkipReason.EXCLUDED:
        return STOPS, excluded(s.schedule, day) if s.schedule else "excluded by `except`"
    if skip == SkipReason.DATE_ABSENT:
        return STOPS, "its local time does not exist on this date: the clocks jump over it"
    if is_make_up(s.slot):
        return HOLDS, _made_up(s)
    if s.record is None and s.occurrence is None and s.schedule is not None:
        why = no_slot(s.schedule, day) or no_such_slot(s.schedule, s.slot, day)
        return STOPS, f"{why}; {next_words(s.schedule, s.known.now)}"
    return HOLDS, f"{s.slot} on {day_words(day)}"


def date_of(s: Subject) -> date | None:
    """The key's date, if it is one."""
    try:
        return date.fromisoformat(s.date)
    except ValueError:
        return None


def _made_up(s: Subject) -> str:
    asked = (fact for _, fact in s.facts(Asked) if fact.ask is Ask.MAKE_UP)
    if (fact := next(asked, None)) is None:
        return "a make-up, not of the calendar"
    return f"it makes up for {fact.other}, as {_by(fact.by, fact.why)} asked"


def pause(s: Subject) -> Link:
    """Did, or does, a person keep it from happening."""
    return Link(Part.PAUSE, *_pause(s))


def _pause(s: Subject) -> tuple[Verdict, str]:
    if reasoned(s, Stage.CANCELLED, CancelReason.BY_PERSON):
        told = next((f" by {_by(f.by, f.why)}" for _, f in s.facts(Asked) if f.ask is Ask.SKIP), "")
        return STOPS, f"taken back{told}"
    if s.record is None and (asked := s.known.skips.get(s.key)) is not None:
        return STOPS, f"it is to be skipped: {_by(asked.by, asked.why)} asked for it"
    found = next((each for each in s.known.pauses if _holds(each, s)), None)
    if reasoned(s, Stage.SKIPPED, SkipReason.PAUSED):
        return STOPS, _paused(s, found) if found else "it was paused when it would have opened"
    if found and (s.record is None or s.record.stage is Stage.PLANNED):
        return STOPS, _paused(s, found)
    return HOLDS, "not paused"


def _holds(each: Pause, s: Subject) -> bool:
    """It is for this one, and holds when this one opens; or now, when it is open and not yet begun (S5)."""
    named = {Breadth.SCHEDULE: s.name, Breadth.PARTICIPANT: s.participant}
    if s.promise is None or each.scope.name != named.get(each.scope.breadth, ""):
        return False
    opens, until = s.promise.opens, each.until
    when = max(opens, s.known.now) if s.record is not None and s.record.stage is Stage.PLANNED else opens
    return each.since <= when and (until is None or when < until)


def _paused(s: Subject, each: Pause) -> str:
    until = f"until {s.clock(each.until)}" if each.until else "until somebody resumes it"
    return f"{each.scope} is paused since {s.clock(each.since)} {until}, by {_by(each.by, each.why)}"


def _by(who: str, why: str | None) -> str:
    return f"{who} ({why})" if why else who


def ahead(s: Subject, promise: Occurrence) -> Link:
    """How many others want a conversation in the same minute, against how many there may be."""
    holds = [f"{reason} since {s.clock(since)}" for reason, since in s.known.holds]
    if holds and promise.opens <= s.known.now:
        return Link(Part.CAPACITY, DELAYS, f"creation is held: {', '.join(holds)}")
    if s.known.account is None:
        return Link(Part.CAPACITY, OPEN, "the account's limits are not known here")
    return Link(Part.CAPACITY, *_crowd(s, promise, s.known.account))


def _crowd(s: Subject, promise: Occurrence, account: Account) -> tuple[Verdict, str]:
    minute = promise.due // 60 * 60
    others = sum(_due_in(each, minute) for each in (s.known.schedules or {}).values()) - 1
    cap = account.concurrent_conversations - account.reserve
    rate = f"{account.requests.count} in {account.requests.per_s:.0f} s"
    words = f"{counted(others, 'other')} due in the same minute, room for {cap:,} at once, requests {rate}"
    if others < cap and (others + 1) * account.requests.per_s <= account.requests.count * 60:
        return HOLDS, words
    return DELAYS, f"{words}: some wait, until {s.clock(promise.shuts)} at the latest"


def _due_in(schedule: Schedule, minute: Instant) -> int:
    """How many of a schedule's promises are due in this minute; a spread is each person's own (S8)."""
    if not schedule.spread_s:
        return sum(each.people for each in slots([schedule], minute - 1, minute + 59) if each.skip is None)
    opens = minute - schedule.lead_s
    coming = occurrences([schedule], opens - 1, opens + 59)
    return sum(each.skip is None for each in coming)

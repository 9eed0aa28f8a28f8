"""A schedule's `when`, from keys to forms: one form each, its zone, its bounds, its slots.

It checks what belongs together within `when` (S1, S8, S10); which instants a form names is
`scheduler.triggers`' to say.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from itertools import pairwise, product

from scheduler.config.models import RangeKeys, WhenKeys
from scheduler.config.problems import Mark, Report, quoted
from scheduler.config.reading import find, place
from scheduler.config.tree import Entry
from scheduler.model import (
    PARTICIPANT_ZONE,
    Cron,
    Days,
    Every,
    Exclusion,
    Fold,
    Form,
    Gap,
    Monthly,
    On,
    Slot,
    When,
)

FORMS = ("days", "cron", "every", "on", "monthly")
DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the schedule around a `when` brings: its zone, and whether it has participants."""

    timezone: str | None
    participants: bool


def calendar(
    schedule: Entry, forms: Sequence[WhenKeys], around: Surroundings, report: Report
) -> tuple[When, ...] | None:
    """The forms of a schedule's `when`, or None after reporting what is wrong with them."""
    found = [_When(schedule, index, keys, around, report).value() for index, keys in enumerate(forms)]
    whole = tuple(when for when in found if when is not None)
    _distinct_slots(schedule, whole, report)
    return whole if len(whole) == len(found) else None


def shortest_pause_s(form: Form) -> float:
    """From one slot of a form to its next, at the least, in seconds (S8)."""
    if isinstance(form, Every):
        return form.interval_s
    if isinstance(form, On):
        gaps = [(b - a).total_seconds() for a, b in pairwise(sorted(form.moments))]
        return min(gaps, default=float("inf"))
    days_apart = 1 if isinstance(form, Cron | Days) else 28
    times = sorted(at.hour * 3600 + at.minute * 60 + at.second for _, at in _slots(form))
    return min(b - a for a, b in pairwise([*times, times[0] + days_apart * DAY_S]))


class _When:
    """One form of one schedule, on its way to a value."""

    def __init__(
        self, schedule: Entry, index: int, keys: WhenKeys, around: Surroundings, report: Report
    ) -> None:
        self._schedule = schedule
        self._index = index
        self._keys = keys
        self._around = around
        self._report = report

    def value(self) -> When | None:
        form, timezone = self._form(), self._timezone()
        keys = self._keys
        exclusions = tuple(map(self._exclusion, range(len(keys.exclusions or []))))
        if keys.first and keys.last and keys.first > keys.last:
            self._error("`from` is later than `until`", "from")
        if form is None or timezone is None:
            return None
        gap, fold = keys.gap or Gap.SHIFT, keys.fold or Fold.FIRST
        return When(form, timezone, keys.first, keys.last, exclusions, gap, fold)

    def _form(self) -> Form | None:
        chosen = [key for key in FORMS if getattr(self._keys, key) is not None]
        if len(chosen) != 1:
            what = f"`{chosen[0]}` and `{chosen[1]}` are two forms" if chosen else "a form is missing"
            self._key_error(f"{what}: one of {', '.join(FORMS)}", *chosen[1:2])
            return None
        if (chosen == ["days"]) != (self._keys.at is not None):
            days = chosen == ["days"]
            self._key_error(
                "`days` needs `at`" if days else "`at` goes with `days`", "days" if days else "at"
            )
            return None
        return self._built()

    def _built(self) -> Form | None:
        keys = self._keys
        if keys.cron is not None:
            return keys.cron
        if keys.every is not None:
            return self._every(keys.every)
        if keys.on is not None:
            return self._on()
        if keys.monthly is not None:
            self._warn_short_months(keys.monthly.day)
            return Monthly(keys.monthly.day, self._named(keys.monthly.at, "monthly", "at"))
        return Days(frozenset().union(*(keys.days or [])), self._named(keys.at or [], "at"))

    def _every(self, interval_s: int) -> Every | None:
        if interval_s < 1:
            self._error("an interval is at least one second", "every")
            return None
        return Every(interval_s)

    def _on(self) -> On:
        moments = self._keys.on or []
        for index in _repeated(moments):
            self._error("this moment is given twice", "on", index)
        return On(tuple(sorted(set(moments))))

    def _named(self, times: list[time] | dict[str, time], *path: str) -> tuple[Slot, ...]:
        if isinstance(times, dict):
            return tuple(Slot(name, at) for name, at in times.items())
        slots = tuple(Slot(_time_name(at), at) for at in times)
        for index in _repeated(slots):
            self._error(f"the slot {quoted(slots[index].name)} is given twice", *path, index)
        return slots

    def _warn_short_months(self, day: str) -> None:
        if day.isdecimal() and int(day) > 28:
            hint = "write last for the last day of each month"
            self._report.warn(self._mark("monthly", "day"), f"months without a day {day} are left out", hint)

    def _timezone(self) -> str | None:
        zone = self._keys.timezone or self._around.timezone
        if zone is None and self._keys.every is not None:
            return "UTC"  # its slots go by UTC whatever the zone; only its bounds are local dates
        if zone is None:
            self._key_error(
                "the time zone is missing: `timezone` stands in `when`, the schedule or `defaults`"
            )
        elif zone == PARTICIPANT_ZONE and not self._around.participants:
            path = ("when", self._index, "timezone") if self._keys.timezone else ("timezone",)
            self._report.error(place(self._schedule, *path), "`timezone: participant` needs participants")
            return None
        return zone

    def _exclusion(self, index: int) -> Exclusion:
        given = (self._keys.exclusions or [])[index]
        if not isinstance(given, RangeKeys):
            return Exclusion(given, given)
        if given.first > given.last:
            self._error("`from` is later than `until`", "except", index, "from")
        return Exclusion(given.first, given.last, given.name)

    def _mark(self, *path: str | int) -> Mark:
        return place(self._schedule, "when", self._index, *path)

    def _error(self, message: str, *path: str | int) -> None:
        self._report.error(self._mark(*path), message)

    def _key_error(self, message: str, *path: str | int) -> None:
        self._report.error(find(self._schedule, ("when", self._index, *path)).key.mark, message)


def _repeated(values: Sequence[Hashable]) -> Iterator[int]:
    """The places of values that were there before."""
    seen: set[Hashable] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield index
        seen.add(value)


def _time_name(at: time) -> str:
    return at.strftime("%H:%M:%S" if at.second else "%H:%M")


def _slots(form: Form) -> Iterator[tuple[str, time]]:
    """(name, local time) of every slot; `every` has none, since its slots go by UTC."""
    if isinstance(form, Days | Monthly):
        yield from ((slot.name, slot.at) for slot in form.slots)
    elif isinstance(form, On):
        yield from ((_time_name(moment.time()), moment.time()) for moment in form.moments)
    elif isinstance(form, Cron):
        for hour, minute in product(_listed(form.hour, 24), _listed(form.minute, 60)):
            yield _time_name(time(hour, minute)), time(hour, minute)


def _listed(field: str, count: int) -> list[int]:
    return list(range(count)) if field == "*" else [int(number) for number in field.split(",")]


def _distinct_slots(schedule: Entry, whens: Sequence[When], report: Report) -> None:
    """Two slots of one name in different forms could make two promises with one key (S1)."""
    seen: set[str] = set()
    for index, when in enumerate(whens):
        names = {"every"} if isinstance(when.form, Every) else {name for name, _ in _slots(when.form)}
        if twice := seen & names:
            message = "two `every` forms fall on the same instants"
            if "every" not in twice:
                message = f"the slot {quoted(min(twice))} stands in two forms; slot names must differ"
            report.error(place(schedule, "when", index), message, 'name the times: at: {morning: "09:00"}')
        seen |= names

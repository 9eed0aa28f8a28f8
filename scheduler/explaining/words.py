"""Times, durations and lists as an explanation says them, and what stands in a form of `when`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from jobs.model import Instant
from scheduler.model import Cron, Days, Every, Form, Monthly, On, Slot
from scheduler.zones import zone

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WORKDAYS = frozenset(range(5))


def wall(at: Instant, timezone: str, day: str = "") -> str:
    """`09:00:12` on a clock of this zone; with its date where that isn't `day`."""
    local = datetime.fromtimestamp(round(at), zone(timezone))
    time = local.strftime("%H:%M:%S").removesuffix(":00")
    return time if local.date().isoformat() == day else f"{local.date().isoformat()} {time}"


def utc(at: Instant) -> str:
    """`2026-12-01 14:00Z`."""
    return datetime.fromtimestamp(round(at), UTC).strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00") + "Z"


def lasting(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `1 h 5 min`."""
    if round(seconds, 1) < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, rest_min = divmod(minutes, 60)
    if not minutes:
        return f"{rest_s} s"
    if not hours:
        return f"{minutes} min {rest_s} s" if rest_s else f"{minutes} min"
    return f"{hours} h {rest_min} min" if rest_min else f"{hours} h"


def day_words(day: date) -> str:
    """`Monday 30 November 2026`."""
    return f"{day:%A %-d %B %Y}"


def listed(items: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last


def counted(number: int, noun: str) -> str:
    """`1 person`, `2,000 others`; the plural is given with an `s` unless it is people's."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} " + ("people" if noun == "person" else "tries" if noun == "try" else f"{noun}s")


def form_words(form: Form) -> str:
    """What a form of `when` says: `Monday to Friday at 09:00`, `every 15 min`."""
    match form:
        case Days():
            return f"{_weekdays(form.weekdays)} at {_times(form.slots)}"
        case Cron():
            fields = (form.minute, form.hour, form.day, form.month, form.day_of_week)
            return f'cron "{" ".join(fields)}"'
        case Every():
            return f"every {lasting(form.interval_s)}"
        case On():
            return listed(moment.strftime("%Y-%m-%d %H:%M") for moment in form.moments[:5])
        case Monthly():
            return f"monthly on day {form.day} at {_times(form.slots)}"


def _weekdays(numbers: frozenset[int]) -> str:
    if len(numbers) == len(_WEEKDAYS):
        return "every day"
    if numbers == _WORKDAYS:
        return "Monday to Friday"
    return listed(_WEEKDAYS[number] for number in sorted(numbers))


def _times(slots: Iterable[Slot]) -> str:
    return listed(_slot(slot) for slot in slots)


def _slot(slot: Slot) -> str:
    at = slot.at.isoformat("seconds" if slot.at.second else "minutes")
    return at if slot.name == at else f"{at} ({slot.name})"

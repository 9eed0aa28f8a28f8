"""Instants as people read them, always in a zone that is named; lengths of time in words.

Which zone is whose is not decided here. Zones come from `scheduler.zones`, as everywhere.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from jobs.model import Instant
from scheduler.zones import zone

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0


def local(instant: Instant, timezone: str) -> datetime:
    """The instant on a clock of that zone."""
    return datetime.fromtimestamp(instant, zone(timezone))


def clock(instant: Instant, timezone: str) -> str:
    """`09:00`, with seconds where there are some."""
    return local(instant, timezone).strftime("%H:%M:%S").removesuffix(":00")


def seconds(instant: Instant, timezone: str) -> str:
    """`09:00:07`, always with its seconds."""
    return local(instant, timezone).strftime("%H:%M:%S")


def minute(instant: Instant, timezone: str) -> str:
    """`09:00`, whatever its seconds."""
    return local(instant, timezone).strftime("%H:%M")


def day(instant: Instant, timezone: str) -> str:
    """`Mon 23 Nov 2026`."""
    return spelled(local(instant, timezone).date())


def spelled(value: date) -> str:
    """`Mon 23 Nov 2026`."""
    return f"{value:%a} {value.day} {value:%b %Y}"


def moment(instant: Instant, timezone: str) -> str:
    """`Mon 23 Nov 2026, 09:00`."""
    return f"{day(instant, timezone)}, {clock(instant, timezone)}"


def machine(instant: Instant) -> str:
    """The instant as `<time datetime>` wants it, in UTC."""
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def length(seconds_: float) -> str:
    """`7 s`, `12 min`, `3 h 5 min`, `4 days`: as exact as a person needs it."""
    if seconds_ < MINUTE_S:
        return f"{seconds_:.0f} s"
    if seconds_ < HOUR_S:
        return f"{seconds_ // MINUTE_S:.0f} min"
    if seconds_ < 2 * DAY_S:
        hours, rest = divmod(seconds_ // MINUTE_S, 60)
        return f"{hours:.0f} h {rest:.0f} min" if rest else f"{hours:.0f} h"
    return f"{seconds_ // DAY_S:.0f} days"


def away(instant: Instant, now: Instant) -> str:
    """`in 5 min`, `12 s ago`, `now`."""
    ahead_s = instant - now
    if abs(ahead_s) < 1:
        return "now"
    return f"in {length(ahead_s)}" if ahead_s > 0 else f"{length(-ahead_s)} ago"


def midnights(now: Instant, timezone: str, days: int = 1) -> list[Instant]:
    """The beginnings of today there and of the next `days` days: one more than days."""
    today = local(now, timezone).date()
    where = zone(timezone)
    dates = (today + timedelta(days=n) for n in range(days + 1))
    return [datetime(d.year, d.month, d.day, tzinfo=where).timestamp() for d in dates]


def due(instant: Instant, now: Instant) -> str:
    """When something is tried next: `in 5 min`, or `now` for what is due."""
    return away(instant, now) if instant > now else "now"


def city(timezone: str) -> str:
    """A zone's name where there is little room: `New York`."""
    return timezone.rpartition("/")[2].replace("_", " ")


def place(timezone: str) -> str:
    """A zone's name for people: `New York (America/New_York)`."""
    return timezone if city(timezone) == timezone else f"{city(timezone)} ({timezone})"

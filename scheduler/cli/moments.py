"""Times and dates as people and programs read them: RFC 3339, the clock on the wall, rows by local date.

Only shows instants that other rooms computed; what a slot's instant is, and what a clock change does to it,
is `scheduler.triggers`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Protocol, TypeVar

import click

from jobs.model import Instant
from scheduler.zones import zone

OPEN_FOR = timedelta(days=2)
"""How long a local date may still get rows: zones reach UTC-12, and rows come in order of opening."""


@lru_cache(maxsize=1024)
def rfc3339(instant: Instant | None) -> str | None:
    """An instant as RFC 3339 in UTC, with milliseconds only where there are some; `None` stays."""
    if instant is None:
        return None
    precision = "seconds" if instant == int(instant) else "milliseconds"
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec=precision).replace("+00:00", "Z")


@lru_cache(maxsize=1024)
def local(instant: Instant, timezone: str) -> datetime:
    """An instant on a clock of that zone; a roster shares few of them."""
    return datetime.fromtimestamp(instant, zone(timezone))


def wall_time(instant: Instant, timezone: str) -> str:
    """`09:00`, with its seconds where there are some."""
    return local(instant, timezone).strftime("%H:%M:%S").removesuffix(":00")


class Dated(Protocol):
    """What has a local date and a due time: a promise, or the record of one."""

    @property
    def date(self) -> str:
        """Its local date, `YYYY-MM-DD`."""

    @property
    def due(self) -> Instant:
        """When it is due."""


D = TypeVar("D", bound=Dated)


def by_local_date(coming: Iterable[D]) -> Iterator[tuple[str, list[D]]]:
    """The rows of each local date, in order; a date is given out once no zone can add to it."""
    days: dict[str, list[D]] = {}
    for each in coming:
        over = (datetime.fromtimestamp(each.due, UTC) - OPEN_FOR).date().isoformat()
        yield from [(day, days.pop(day)) for day in sorted(days) if day < over]
        days.setdefault(each.date, []).append(each)
    yield from sorted(days.items())


def heading(day: str) -> str:
    """A local date above its rows."""
    return click.style(f"{date.fromisoformat(day):%A %-d %B %Y}", bold=True)

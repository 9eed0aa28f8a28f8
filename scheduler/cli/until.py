"""When a pause ends, as people write it: a clock time, a date and time, or how long from now.

Times without a zone are those of this machine's clock, as in a calendar on its wall. Only words become an
instant here; whether it makes sense is the desk's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from jobs.model import Instant


class Until(click.ParamType[Instant]):
    """`09:30`, `2026-12-01T09:00`, `2026-12-01T09:00Z`, `90m`."""

    name = "T"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Instant:
        """The instant that was meant; else a usage error."""
        from scheduler.clock import Clock
        from scheduler.config.scalars import Misread, duration

        text, now = str(value), Clock().now()
        if (at := clock_time(text, now)) is not None:
            return at
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            pass
        try:
            return now + duration(text)
        except Misread:
            self.fail(f"{text!r} is not like 09:30, 2026-12-01T09:00, 2026-12-01T09:00Z or 90m", param, ctx)


def clock_time(text: str, now: Instant) -> Instant | None:
    """The next time at which this machine's clock shows this; `None` when it is no clock time."""
    from scheduler.config.scalars import Misread
    from scheduler.config.scalars import clock_time as written

    try:
        wall = written(text)
    except Misread:
        return None
    here = datetime.fromtimestamp(now, UTC).astimezone().date()
    today = datetime.combine(here, wall)
    return min(day.timestamp() for day in (today, today + timedelta(days=1)) if day.timestamp() > now)

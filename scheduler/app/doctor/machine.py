"""The machine's part: Python, and the time zone data that wall times are read by.

Of the system's tz data and the package's the newer is used for every zone (S3), so an old one does no harm
here; it does where other programs of this machine show the same times.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from jobs.model import Instant
from scheduler.app.doctor.finding import Finding, failed, ok, warning
from scheduler.model import PARTICIPANT_ZONE, Config
from scheduler.zones import both, tz_versions

OLDEST_PYTHON = (3, 11)
STALE_AFTER_S = 183 * 86_400.0
"""After the end of the year that stands in a version; there are several new ones in each year."""
AHEAD_H = 366 * 24

NEWER = "pip install -U tzdata, or update the system's package tzdata"


def python() -> Finding:
    """Is it one that callboard is tested with?"""
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return failed("Python", f"{version} is too old", "install callboard with Python 3.11 or newer")
    return ok("Python", version)


def time_zones(config: Config | None, now: Instant) -> Finding:
    """Is the data recent, and do the system's and the package's agree on the zones in use?"""
    system, package = tz_versions()
    said = f"{max(system, package)} in use (system {system or 'none'}, package {package})"
    if _is_stale(max(system, package), now):
        return warning("time zones", f"{said}: more than half a year old", NEWER)
    differ = [told for name in _in_use(config) if (told := _disagreement(name, now))] if system else []
    if differ:
        more = f" and {len(differ) - 1} more" if differ[1:] else ""
        text = f"{said}: the two disagree on {differ[0]}{more}; other programs here may show other times"
        return warning("time zones", text, NEWER)
    return ok("time zones", said)


def _is_stale(version: str, now: Instant) -> bool:
    year = int(version[:4] or 0)
    return now - datetime(year + 1, 1, 1, tzinfo=UTC).timestamp() > STALE_AFTER_S if year else True


def _in_use(config: Config | None) -> Sequence[str]:
    """Every zone by whose clock something is promised."""
    return sorted(set(_zones(config)) - {PARTICIPANT_ZONE}) if config else ()


def _zones(config: Config) -> Iterator[str]:
    for schedule in config.schedules.values():
        yield from (when.timezone for when in schedule.when)
        yield from (person.timezone for person in schedule.participants if person.timezone)
        yield from filter(None, [schedule.fallback_zone])


def _disagreement(name: str, now: Instant) -> str | None:
    """From when on, within a year, the two say different times; None when they agree."""
    system, package = both(name)
    if system is None or package is None:
        return f"{name}, which {'the system' if system is None else 'the package'} doesn't know"
    hour = next((h for h in range(AHEAD_H) if _offset(now, h, system) != _offset(now, h, package)), None)
    if hour is None:
        return None
    return f"{name} from {datetime.fromtimestamp(now + hour * 3600, UTC):%Y-%m-%d} on"


def _offset(now: Instant, hour: int, zone: ZoneInfo) -> object:
    return datetime.fromtimestamp(now + hour * 3600, zone).utcoffset()

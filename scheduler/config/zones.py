"""Names of time zones: IANA's, and what was probably meant by anything else (S3).

Only whether a name exists is asked of the tz data; clock changes are another room's.
"""

from __future__ import annotations

import re

from scheduler.config.problems import quoted
from scheduler.config.scalars import Misread
from scheduler.config.suggest import nearest
from scheduler.model import PARTICIPANT_ZONE
from scheduler.zones import is_zone, zone_names

_MEANT = {
    "EST": "America/New_York", "EDT": "America/New_York", "ET": "America/New_York",
    "EST5EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago",
    "CT": "America/Chicago", "CST6CDT": "America/Chicago", "MST": "America/Denver",
    "MDT": "America/Denver", "MT": "America/Denver", "MST7MDT": "America/Denver",
    "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "PT": "America/Los_Angeles",
    "PST8PDT": "America/Los_Angeles", "HST": "Pacific/Honolulu", "GMT": "Europe/London",
    "BST": "Europe/London", "WET": "Europe/Lisbon", "CET": "Europe/Berlin", "CEST": "Europe/Berlin",
    "MET": "Europe/Berlin", "EET": "Europe/Athens", "EEST": "Europe/Athens", "MSK": "Europe/Moscow",
    "IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "KST": "Asia/Seoul", "SGT": "Asia/Singapore",
    "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "NZST": "Pacific/Auckland", "Z": "UTC",
}  # fmt: skip


def zone(text: str) -> str:
    """An IANA name such as `America/New_York`, or `UTC`."""
    if not is_zone(text):
        raise Misread(f"{quoted(text)} is not an IANA time zone", lambda: _hint(text))
    return text


def zone_or_participant(text: str) -> str:
    """The same, or `participant`: each person's own."""
    return text if text == PARTICIPANT_ZONE else zone(text)


def _hint(text: str) -> str:
    if re.match(r"(UTC|GMT)?[+-]?[0-9]|(UTC|GMT)[+-]", text):
        return "an offset knows no clock changes: write a place, such as Europe/Berlin, or UTC"
    meant = _MEANT.get(text.upper()) or _nearest(text)
    return f'did you mean "{meant}"?' if meant else 'write a place, such as "America/New_York", or UTC'


def _nearest(text: str) -> str | None:
    """By the whole name, else by the city alone."""
    known = sorted(name for name in zone_names() if "/" in name)
    cities = {name.rpartition("/")[2]: name for name in known}
    city = nearest(text.rpartition("/")[2], cities)
    return nearest(text, [*known, "participant"]) or (cities[city] if city else None)

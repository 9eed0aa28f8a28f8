"""What a letter can tell, in words: a person's own local day and time, and how long things last.

English, whatever the machine's locale. No sentence stands here (that is `texts`), and nothing is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

from jobs.model import Instant, Invitation

Zone = Callable[[str], tzinfo]
"""An IANA name -> the zone; ValueError for a name that there isn't."""

ROUGH_FROM_S = 600.0
"""From here on the end of a link is told to the minute, below it to ten seconds; never later than it is."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def told(invitation: Invitation, zone: Zone) -> dict[str, str]:
    """The values of LETTER_NAMES; those of a participant are empty where there is none."""
    person = invitation.participant
    due = datetime.fromtimestamp(invitation.due, zone(invitation.timezone))
    return {
        "participant.id": person.id if person else "",
        "participant.name": person.name if person else "",
        "slot.name": invitation.slot,
        "slot.date": invitation.date,
        "slot.day": day(due),
        "slot.time": time(due),
        "slot.zone": place(invitation.timezone, due),
        "schedule.name": invitation.schedule,
        "practice.name": invitation.practice or invitation.schedule,
        "practice.length": length(invitation.max_call_s),
        "link.url": invitation.url,
        "link.until": until(invitation, due),
        "link.length": length(_open_s(invitation)),
    }


def day(local: datetime) -> str:
    """`Monday 23 November`."""
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"


def time(local: datetime) -> str:
    """`09:00`, with its seconds where there are some."""
    return f"{local:%H:%M:%S}".removesuffix(":00")


def place(timezone: str, local: datetime) -> str:
    """`New York (UTC-5)`; UTC is itself."""
    city = timezone.rpartition("/")[2].replace("_", " ")
    return city if city == "UTC" else f"{city} ({_offset(local.utcoffset() or timedelta())})"


def _offset(east: timedelta) -> str:
    hours, minutes = divmod(abs(round(east.total_seconds() / 60)), 60)
    return f"UTC{'-' if east < timedelta() else '+'}{hours}" + (f":{minutes:02}" if minutes else "")


def until(invitation: Invitation, due: datetime) -> str:
    """When the link dies, on the same clock as the slot: `09:01`, or `Tuesday, 00:05` on another day."""
    grain_s = 60 if _open_s(invitation) >= ROUGH_FROM_S else 10
    end = datetime.fromtimestamp(math.floor(invitation.not_after / grain_s) * grain_s, due.tzinfo)
    return time(end) if end.date() == due.date() else f"{_DAYS[end.weekday()]}, {time(end)}"


def _open_s(invitation: Invitation) -> int:
    return max(0, round(invitation.not_after - invitation.created_at))


def length(seconds: int) -> str:
    """`90 seconds`, `4 minutes 30 seconds`, `1 hour 30 minutes`; from an hour on, seconds are left out."""
    if seconds < 120 and seconds % 60:
        return _many(seconds, "second")
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(hours, "hour"), (minutes, "minute"), (0 if hours else left, "second")]
    return " ".join(_many(number, noun) for number, noun in parts if number) or "0 seconds"


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def rfc3339(instant: Instant) -> str:
    """An instant for programs, in UTC, with milliseconds only where there are some."""
    whole = math.floor(instant * 1000) / 1000
    precision = "seconds" if whole == int(whole) else "milliseconds"
    return datetime.fromtimestamp(whole, UTC).isoformat(timespec=precision).replace("+00:00", "Z")

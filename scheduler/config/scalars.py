"""What single texts mean: durations, times of day, dates, numbers, rates, names.

Each function takes the text as it was written and returns its value, or raises Misread; the message
is filled in by whoever knows what was expected. It knows nothing of keys, files or pydantic.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import TypeVar

from scheduler.config.suggest import did_you_mean
from scheduler.model import Rate

Choice = TypeVar("Choice", bound=str)

_DURATION = re.compile(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,7})m)?(?:([0-9]{1,9})s?)?")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_RATE = re.compile(r"([0-9]{1,7})\s*/\s*([a-z]+)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FORBIDDEN_IN_NAMES = re.compile(r"[/\s\x00-\x1f\x7f-\x9f]")
_PER_S = {"s": 1.0, "min": 60.0, "h": 3600.0}
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


Hint = str | Callable[[], str | None] | None
"""A way out for people; as a function where finding it takes long."""


class Misread(ValueError):
    """A text that doesn't mean what its key needs. Without a message: "expected X, found Y"."""

    def __init__(self, message: str | None = None, hint: Hint = None) -> None:
        super().__init__(message or "")
        self.message, self.hint = message, hint


def later(what: str, hint: str | None = None) -> Misread:
    """For what the contract names and this version can't do yet."""
    return Misread(f'"{what}" is not in this version', hint)


def duration(text: str) -> int:
    """`90s`, `15m`, `1h30m` or a bare number: whole seconds."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise Misread(hint=_duration_hint(text))
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def age(text: str) -> int:
    """`180d`, days of 24 hours, or a duration as elsewhere: whole seconds."""
    days = re.fullmatch(r"([0-9]{1,5})d", text)
    return int(days[1]) * 86_400 if days else duration(text)


def _duration_hint(text: str) -> str | None:
    small = "".join(text.lower().split())
    return f"did you mean {small}?" if small != text and small and _DURATION.fullmatch(small) else None


def clock_time(text: str) -> time:
    """`9:00`, `09:00` or `09:00:30`."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        hint = "hours count from 0 to 23: 3 pm is 15:00" if text.lower().endswith(("am", "pm")) else None
        raise Misread(hint=hint)
    hour, minute, second = (int(part or 0) for part in match.groups())
    if hour > 23 or minute > 59 or second > 59:
        hint = "midnight is 00:00, of the day that begins" if hour == 24 else None
        raise Misread(hint=hint)
    return time(hour, minute, second)


def local_date(text: str) -> date:
    """`2026-12-24`."""
    if not _DATE.fullmatch(text):
        raise Misread
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Misread(f"there is no such day: {error}") from None


def moment(text: str) -> datetime:
    """`2026-12-01T09:00` or `2026-12-01 15:00:30`, a local time without a zone."""
    day, separator, rest = text.replace("T", " ", 1).partition(" ")
    if re.search(r"(Z|[+-][0-9:]+)$", rest):
        raise Misread("a local time has no zone or offset here", "the zone stands at `timezone`")
    if not separator:
        raise Misread
    return datetime.combine(local_date(day), clock_time(rest.strip()))


def boolean(text: str) -> bool:
    """`true`, `yes`, `on`, `false`, `no`, `off`."""
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise Misread(hint=did_you_mean(text, _BOOLEANS)) from None


def integer(least: int, most: int = 1_000_000) -> Callable[[str], int]:
    """A whole number within bounds."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", text):
            raise Misread
        value = int(text)
        if not least <= value <= most:
            raise Misread(f"{value} is too {'small' if value < least else 'large'}: {least} to {most}")
        return value

    return read


def rate(text: str) -> Rate:
    """`10/s`, `60/min` or `500/h` (S17)."""
    match = _RATE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise Misread
    if match[2] not in _PER_S:
        near = {"second": "s", "sec": "s", "m": "min", "minute": "min", "hour": "h", "hr": "h"}.get(match[2])
        raise Misread(hint=f"did you mean {match[1]}/{near}?" if near else None)
    return Rate(int(match[1]), _PER_S[match[2]])


def choice(
    words: tuple[Choice, ...], not_yet: tuple[str, ...] = (), hint: str | None = None
) -> Callable[[str], Choice]:
    """One of some words; those of a later version are refused as such."""

    def read(text: str) -> Choice:
        if text in not_yet:
            raise later(text, hint)
        for word in words:
            if text == word:
                return word
        raise Misread(hint=did_you_mean(text, words))

    return read


def name(text: str) -> str:
    """1-64 characters without `/`, blanks or controls (S1). `*` and `-` have a meaning in keys."""
    if text in ("*", "-"):
        raise Misread(f'the name "{text}" is reserved')
    if not text or len(text) > 64:
        raise Misread(f"a name has 1 to 64 characters, this has {len(text)}")
    bad = _FORBIDDEN_IN_NAMES.search(text)
    if bad or not text.isprintable():
        what = {"/": "a `/`", " ": "a blank"}.get(bad[0] if bad else "", "a blank or control character")
        raise Misread(f"a name can't contain {what}", "write - or _ instead")
    return text


def line(text: str) -> str:
    """A text of one line, as a person's name is."""
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise Misread
    return text


def text_of_any_kind(text: str) -> str:
    """As it is written."""
    return text


def wording(text: str) -> str:
    """Some text that a letter can be made of."""
    if not text.strip():
        raise Misread("there is nothing to read here", "leave the key out: there is a wording of ours")
    return text


def subject(text: str) -> str:
    """The same on one line: nothing that could end a header or begin another one (S31)."""
    if not wording(text).isprintable() or "=?" in text:
        raise Misread("a subject is one line, without control characters and `=?`")
    return text

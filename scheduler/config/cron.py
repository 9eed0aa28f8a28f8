"""Cron expressions, weekdays and days of the month, checked and spelt out.

Fields come out as `*` or as plain lists, so that no two engines can read them differently; weekdays
only go by name, and never together with a day of the month (S10). No instants are computed here.
"""

from __future__ import annotations

import re

from scheduler.config.problems import quoted
from scheduler.config.scalars import Misread
from scheduler.config.suggest import did_you_mean
from scheduler.model import Cron

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_RANGES = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12))
_PART = re.compile(r"(?:\*|([0-9a-z]{1,3})(?:-([0-9a-z]{1,3}))?)(?:/([0-9]{1,2}))?")
_ORDINALS = {"first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th"}


def cron(text: str) -> Cron:
    """Five fields: minute, hour, day of the month, month, day of the week."""
    fields = text.lower().split()
    if len(fields) != 5:
        hint = "minute, hour, day of the month, month, day of the week: 0 9 * * mon-fri"
        raise Misread(f"a cron expression has five fields, this has {len(fields)}", hint)
    if fields[2] != "*" and fields[4] != "*":
        hint = "engines disagree on whether both must hold; write two forms, or use `monthly`"
        raise Misread("a day of the month together with a day of the week is refused", hint)
    numbers = [_numbers(field, *about) for field, about in zip(fields[:4], _RANGES, strict=True)]
    _must_happen(numbers[2], numbers[3])
    minute, hour, day, month = (
        _spelt(found, low, high) for found, (_, low, high) in zip(numbers, _RANGES, strict=True)
    )
    return Cron(minute, hour, day, month, _cron_weekdays(fields[4]))


def weekdays(text: str) -> frozenset[int]:
    """`daily`, `mon-fri`, `fri-mon`, `mon, wed`: Monday is 0."""
    if text.lower() == "daily":
        return frozenset(range(7))
    return frozenset(day for part in text.lower().split(",") for day in _weekday_range(part.strip()))


def month_day(text: str) -> str:
    """`1`, `last`, `first mon`, `last fri`, as APScheduler's day field reads it."""
    words = text.lower().split()
    if re.fullmatch(r"[0-9]{1,2}", text) and 1 <= int(text) <= 31:
        return str(int(text))
    if words == ["last"]:
        return "last"
    if len(words) != 2 or (words[0] != "last" and words[0] not in {*_ORDINALS, *_ORDINALS.values()}):
        raise Misread(hint=did_you_mean(words[0], [*_ORDINALS, "last"]) if words else None)
    return f"{_ORDINALS.get(words[0], words[0])} {WEEKDAYS[_weekday(words[1])]}"


def _weekday(word: str) -> int:
    if word in WEEKDAYS:
        return WEEKDAYS.index(word)
    if re.fullmatch(r"[0-9]+", word):
        hint = "cron's 1 is Monday, for other engines it is Tuesday: write mon-fri"
        raise Misread(f"weekdays go by name, not by number ({word})", hint)
    every = f"there are {', '.join(WEEKDAYS)} and daily"
    raise Misread(f"{quoted(word)} is not a weekday", did_you_mean(word[:3], WEEKDAYS, every))


def _weekday_range(part: str) -> list[int]:
    first, dash, last = part.partition("-")
    start = _weekday(first.strip())
    length = (_weekday(last.strip()) - start) % 7 if dash else 0
    return [(start + step) % 7 for step in range(length + 1)]


def _cron_weekdays(text: str) -> str:
    if text == "*":
        return text
    if "/" in text or "#" in text or "?" in text:
        raise Misread("the day of the week takes names, lists and ranges only", "write mon,wed,fri")
    days = weekdays(text)
    return "*" if len(days) == 7 else ",".join(WEEKDAYS[day] for day in sorted(days))


def _numbers(text: str, what: str, low: int, high: int) -> frozenset[int]:
    """Every number that a field names."""
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise Misread(
                f"{quoted(part)} is not a {what} in cron's words", "a number, a-b, */n or a list of them"
            )
        first, last, step = match.groups()
        start = _number(first, what, low, high) if first else low
        end = _number(last, what, low, high) if last else start if first and not step else high
        if start > end or step == "0":
            raise Misread(f"the {what} {quoted(part)} names nothing")
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, what: str, low: int, high: int) -> int:
    value = _MONTHS.index(text) + 1 if what == "month" and text in _MONTHS else text
    if isinstance(value, str) and not value.isdecimal():
        raise Misread(
            f"{quoted(text)} is not a {what}", did_you_mean(text, _MONTHS) if what == "month" else None
        )
    if not low <= int(value) <= high:
        raise Misread(f"the {what} is {low} to {high}, not {text}")
    return int(value)


def _must_happen(days: frozenset[int], months: frozenset[int]) -> None:
    if all(min(days) > _LONGEST[month - 1] for month in months):
        raise Misread(f"this never happens: no such month has a day {min(days)}")


def _spelt(numbers: frozenset[int], low: int, high: int) -> str:
    return "*" if len(numbers) == high - low + 1 else ",".join(map(str, sorted(numbers)))

"""Several files into one: whose `service` and `defaults` hold, which rosters and schedules there are.

Trees are joined, not values, so every word keeps its place. What the words mean is read later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from scheduler.config.models import FileKeys, Version
from scheduler.config.problems import Mark, Report, quoted
from scheduler.config.reading import read, unknown_key
from scheduler.config.scalars import Misread, name
from scheduler.config.tree import Entries, Entry, Node, Scalar

_VERSION: TypeAdapter[str] = TypeAdapter(Version)
_ONCE = ("service", "account", "mail", "defaults")
_NAMED = ("rosters", "schedules")


@dataclass(slots=True)
class Joined:
    """All files' sections: those that stand once, and those whose names are gathered."""

    once: dict[str, Entry] = field(default_factory=dict)
    rosters: dict[str, Entry] = field(default_factory=dict)
    schedules: dict[str, Entry] = field(default_factory=dict)


def join(files: Sequence[Entries], report: Report) -> Joined:
    """The sections of all files; what stands twice is reported with both places."""
    joined = Joined()
    for file in files:
        _version(file, report)
        for entry in file.pairs.values():
            _take(entry, file, joined, report)
    return joined


def with_defaults(schedule: Entry, defaults: Entry | None) -> Entry:
    """The schedule's words over the defaults': mappings key by key, all else replaced."""
    return schedule if defaults is None else Entry(schedule.key, _over(defaults.value, schedule.value))


def _over(base: Node, own: Node) -> Node:
    if not isinstance(base, Entries) or not isinstance(own, Entries):
        return own
    pairs: dict[str, Entry] = dict(base.pairs)
    for key, entry in own.pairs.items():
        below = base.pairs.get(key)
        pairs[key] = entry if below is None else Entry(entry.key, _over(below.value, entry.value))
    return Entries(pairs, own.mark)


def _version(file: Entries, report: Report) -> None:
    entry = file.pairs.get("version")
    if entry is None:
        report.error(
            Mark(file.mark.source, 1, 1), 'the key "version" is missing', "begin the file with version: 1"
        )
    else:
        read(_VERSION, entry, report)


def _take(entry: Entry, file: Entries, joined: Joined, report: Report) -> None:
    key = entry.key.text
    if key in FileKeys.not_yet or key not in FileKeys.known_keys():
        unknown_key(entry.key, FileKeys, file, report)
    elif key in _ONCE:
        first = joined.once.setdefault(key, entry)
        if first is not entry:
            report.error(
                entry.key.mark, f"{quoted(key)} may stand in one file only", f"first at {first.key.mark}"
            )
    elif key in _NAMED:
        _gather(entry, joined.rosters if key == "rosters" else joined.schedules, report)


def _gather(section: Entry, names: dict[str, Entry], report: Report) -> None:
    if not isinstance(section.value, Entries):
        what = "nothing" if isinstance(section.value, Scalar) and not section.value.text else "something else"
        report.error(section.value.mark, f"expected names, each with what belongs to it, found {what}")
        return
    for entry in section.value.pairs.values():
        _check_name(entry.key, report)
        first = names.setdefault(entry.key.text, entry)
        if first is not entry:
            report.error(
                entry.key.mark, f"{quoted(entry.key.text)} is given twice", f"first at {first.key.mark}"
            )


def _check_name(key: Scalar, report: Report) -> None:
    try:
        name(key.text)
    except Misread as error:
        report.error(
            key.mark,
            error.message or "not a name",
            "a name is 1 to 64 characters without /, blanks or controls",
        )

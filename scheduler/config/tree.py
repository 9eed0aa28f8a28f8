"""A YAML file as a tree of texts, lists and mappings that know where they stand.

PyYAML's events are read one by one, with libyaml's parser where it is present; the limits of
semantics section 7 are checked on them before anything is composed. Every scalar is text: nothing
is resolved here, so `no`, `007` and `9:30` are what they look like.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from scheduler.config.problems import Mark, Report, Source, quoted
from scheduler.config.syntax import explain

DEEPEST = 32
MOST_VALUES = 100_000
"""Keys, texts, lists and mappings of one file: 10,000 people inline. Larger rosters stand in CSV."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A text. `plain` means without quotes and not a block; `end` is the place behind it."""

    text: str
    plain: bool
    mark: Mark
    end: Mark

    @property
    def rest(self) -> str:
        """What follows a plain text on its line. Cut when asked: a long line may hold 100,000 texts."""
        return self.end.source.lines[self.end.line - 1][self.end.column - 1 :] if self.plain else ""


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A list."""

    items: tuple[Node, ...]
    mark: Mark


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A key of a mapping with its value."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """A mapping."""

    pairs: Mapping[str, Entry]
    mark: Mark


Node = Scalar | Items | Entries


class _Refused(Exception):
    """The file can't be used beyond this place."""

    def __init__(self, mark: Mark, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.mark, self.message, self.hint = mark, message, hint


def parse(source: Source, report: Report) -> Entries | None:
    """The mapping that a file holds, or None after reporting why there is none."""
    try:
        return _Composer(source, report).document()
    except _Refused as refused:
        report.error(refused.mark, refused.message, refused.hint)
    except yaml.MarkedYAMLError as error:
        found = explain(source.lines, error)
        report.error(Mark(source, found.line, found.column), found.message, found.hint)
    except yaml.YAMLError as error:
        report.error(Mark(source, 1, 1), f"this can't be read as YAML: {str(error).splitlines()[0]}")
    return None


class _Composer:
    """Turns one file's events into nodes."""

    def __init__(self, source: Source, report: Report) -> None:
        self._source = source
        self._report = report
        self._events = self._checked()

    def document(self) -> Entries:
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise _Refused(Mark(self._source, 1, 1), "the file is empty")
        root = self._node(next(self._events))
        for _ in self._events:  # the limits hold for what follows, too
            pass
        if not isinstance(root, Entries):
            raise _Refused(root.mark, "a configuration is a mapping, `key: value`")
        return root

    def _checked(self) -> Iterator[yaml.Event]:
        """The events without the stream's start, refused at the first that breaks a limit."""
        depth = documents = values = 0
        for event in yaml.parse(self._source.text, Loader=_LOADER):
            if isinstance(event, yaml.StreamStartEvent):
                continue
            documents += isinstance(event, yaml.DocumentStartEvent)
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            values += isinstance(event, yaml.NodeEvent)
            if values > MOST_VALUES:
                hint = "people may stand in a CSV file: {file: people.csv}"
                raise _Refused(self._mark(event), f"more than {MOST_VALUES} values in one file", hint)
            self._limit(event, depth, documents)
            yield event

    def _limit(self, event: yaml.Event, depth: int, documents: int) -> None:
        if documents > 1:
            raise _Refused(self._mark(event), "one document in a file: `---` begins a second one")
        if depth > DEEPEST:
            raise _Refused(self._mark(event), f"nested deeper than {DEEPEST} levels")
        if (sign := _sign(event)) is not None:
            hint = "put the value in quotes if it is meant as text"
            raise _Refused(self._mark(event), f"a value begins with {sign}, and there are none here", hint)

    def _node(self, event: yaml.Event) -> Node:
        if isinstance(event, yaml.MappingStartEvent):
            return Entries(self._pairs(event), self._mark(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(tuple(self._items()), self._mark(event))
        return self._scalar(event)

    def _items(self) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event)

    def _pairs(self, start: yaml.Event) -> dict[str, Entry]:
        pairs: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(start, event)
            value = self._node(next(self._events))
            first = pairs.setdefault(key.text, Entry(key, value))
            if first.key is not key:
                message = f"the key {quoted(key.text)} is given twice"
                self._report.error(key.mark, message, f"first at {first.key.mark}")
        return pairs

    def _key(self, start: Any, event: yaml.Event) -> Scalar:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if self._source.text.startswith("{{", start.start_mark.index):
            hint = 'write "{{ ... }}", or begin the text with >- on a line of its own'
            raise _Refused(self._mark(start), "a value that begins with `{{` must stand in quotes", hint)
        raise _Refused(self._mark(event), "a key is a plain word, not a list or a mapping")

    def _scalar(self, event: Any) -> Scalar:
        return Scalar(event.value, not event.style, self._mark(event), self._place(event.end_mark))

    def _mark(self, event: Any) -> Mark:
        return self._place(event.start_mark)

    def _place(self, at: Any) -> Mark:
        """Counted from 1; libyaml may speak of a line below the last."""
        line = min(at.line, len(self._source.lines) - 1)
        column = at.column if line == at.line else len(self._source.lines[line])
        return Mark(self._source, line + 1, column + 1)


def _sign(event: Any) -> str | None:
    """What a file may not use to point elsewhere or to choose a type."""
    if isinstance(event, yaml.AliasEvent):
        return "`*`, an alias"
    if getattr(event, "anchor", None) is not None:
        return "`&`, an anchor"
    return "`!`, a tag" if getattr(event, "tag", None) is not None else None

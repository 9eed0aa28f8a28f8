"""Trees into models: every error of a mapping at once, each at the place where its words stand.

Pydantic says what is wrong by key and kind; here that becomes a mark and a sentence. Which keys
there are is `models`', what belongs together is checked later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from scheduler.config.fields import Plain, Strict, Told
from scheduler.config.problems import Mark, Report, quoted
from scheduler.config.suggest import did_you_mean
from scheduler.config.tree import Entries, Entry, Items, Node, Scalar

Model = TypeVar("Model")
Step = str | int

_EXPECTED = {"list_type": "a list", "dict_type": "a mapping", "model_type": "a mapping"}


def read(reader: TypeAdapter[Model], entry: Entry, report: Report) -> Model | None:
    """The value at a key as a model, or None after reporting everything that is wrong with it."""
    owners: dict[object, type[Strict]] = {}
    try:
        return reader.validate_python(_plain(entry.value), context=owners)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            _report(found, entry, owners, report)
            if report.full:
                break
        return None


def find(entry: Entry, path: Sequence[Step]) -> Entry:
    """The deepest entry on the path; an item of a list has the key that its list stands at.

    Steps that aren't written are passed over: a list's index where its only item stands alone, the
    tags of a choice between shapes.
    """
    for step in path:
        node = entry.value
        if isinstance(node, Entries) and step in node.pairs:
            entry = node.pairs[str(step)]
        elif isinstance(node, Items) and isinstance(step, int):
            entry = Entry(entry.key, node.items[step])
    return entry


def written(entry: Entry, *path: Step) -> Entry | None:
    """The entry at exactly this path, if somebody wrote it."""
    for step in path:
        node = entry.value
        if isinstance(node, Entries) and step in node.pairs:
            entry = node.pairs[str(step)]
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            entry = Entry(entry.key, node.items[step])
        elif step != 0 or isinstance(node, Items):
            return None
    return entry


def place(entry: Entry, *path: Step) -> Mark:
    """Where the value at the path stands; if nobody wrote it, the key that it would belong to."""
    exact = written(entry, *path)
    return exact.value.mark if exact is not None else find(entry, path).key.mark


def unknown_key(key: Scalar, owner: type[Strict], present: Entries, report: Report) -> None:
    """Report a key that its mapping can't have: a later version's, or a slip."""
    if key.text in owner.not_yet:
        report.error(key.mark, f"{quoted(key.text)} is not in this version", "remove the key")
        return
    if report.full:  # nobody reads the hint, and finding it takes long
        report.error(key.mark, "unknown key")
        return
    free = [known for known in owner.known_keys() if known not in present.pairs]
    every = f"known here: {', '.join(owner.known_keys())}"
    hint = owner.hints.get(key.text) or did_you_mean(key.text, free)
    hint = hint or did_you_mean(key.text, owner.known_keys(), every)
    report.error(key.mark, f"unknown key {quoted(key.text)}", hint)


def told_by(found: ErrorDetails) -> Told:
    """What one of our readers had to say, or what pydantic's kind of error means."""
    told = found.get("ctx", {}).get("told")
    return told if isinstance(told, Told) else Told(_EXPECTED.get(found["type"], "something else"), None)


def _plain(node: Node) -> Any:
    if isinstance(node, Items):
        return [_plain(item) for item in node.items]
    if isinstance(node, Entries):
        plain = Plain((key, _plain(entry.value)) for key, entry in node.pairs.items())
        plain.place = node
        return plain
    return node.text if node.text or not node.plain else _NOTHING


class _Nothing:
    """What stands at a key without a value: no text, no list, and not the absence of the key."""


_NOTHING = _Nothing()


def _report(found: ErrorDetails, entry: Entry, owners: dict[object, type[Strict]], report: Report) -> None:
    path, kind = found["loc"], found["type"]
    if kind == "extra_forbidden":
        holder = find(entry, path[:-1]).value
        if isinstance(holder, Entries):
            unknown_key(holder.pairs[str(path[-1])].key, owners[holder], holder, report)
        return
    if kind == "missing":
        holder = find(entry, path[:-1]).value
        report.error(holder.mark, f"the key {quoted(str(path[-1]))} is missing here")
        return
    spot = find(entry, path)
    on_key = path[-1:] == ("[key]",)
    node: Node = spot.key if on_key else spot.value
    told = told_by(found)
    report.error(node.mark, told.message(_seen(node)), told.hint or _way_out(node, told.expected))


def _seen(node: Node) -> str:
    if isinstance(node, Scalar):
        return quoted(node.text) if node.text or not node.plain else "nothing"
    return "a list" if isinstance(node, Items) else "a mapping"


def _way_out(node: Node, expected: str) -> str | None:
    if isinstance(node, Scalar) or "list" in expected or "mapping" in expected:
        return None
    source, line, column = node.mark.source, node.mark.line, node.mark.column
    sign = source.lines[line - 1][column - 1 : column]
    if sign in ("[", "{"):
        return f"a value that begins with `{sign}` must stand in quotes if it is meant as text"
    return None

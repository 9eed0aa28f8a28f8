"""The texts of a conversation as templates over participant, slot and schedule.

A template is checked on its syntax tree before anything of it is compiled: only the few constructs
and filters named here are let through, so nothing can loop, multiply, call or reach an attribute
that isn't in `NAMES`. The sandboxed jinja2 environment below is the second wall, not the first.
What a participant is called is data and never becomes a template. This room reads no YAML and knows
nothing of marks (S12) or of what the API thinks of the texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from jobs.model import ConversationRequest, Participant, Properties

NAMES = (
    "participant.id",
    "participant.name",
    "participant.email",
    "participant.timezone",
    "slot.name",
    "slot.date",
    "slot.time",
    "schedule.name",
)
"""All that a template can name. Each is text; what a person doesn't have is the empty text."""

FILTERS = ("upper", "lower", "capitalize", "title", "trim", "default")
"""None of them makes a text more than a few times longer."""

MAX_SOURCE_CHARS = 16 * 1024
MAX_OUTPUT_CHARS = 64 * 1024
MAX_DEPTH = 20
CACHED = 1024

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr,
    nodes.Getattr, nodes.Const, nodes.List, nodes.Tuple, nodes.Filter,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat,
)  # fmt: skip
_ALLOWED_WORDS = f"only values, if, comparisons, and/or/not, ~ and the filters {', '.join(FILTERS)}"


class TemplateError(Exception):
    """A text that can't be rendered; the message is for people, and `render` names the field in it."""


@dataclass(frozen=True, slots=True)
class SlotView:
    """A slot as a template sees it: its name, the local date (ISO) and the local time (HH:MM)."""

    name: str
    date: str
    time: str


@dataclass(frozen=True, slots=True)
class Context:
    """What one occurrence's texts are made of. `schedule` is the schedule's name."""

    schedule: str
    slot: SlotView
    participant: Participant | None


_SAMPLE = Context(
    schedule="sample",
    slot=SlotView("09:00", "2026-01-05", "09:00"),
    participant=Participant("sample", "Sample Person", "sample@example.com", "America/New_York"),
)

Rendered = Callable[[Mapping[str, str]], str]
"""A compiled text: the values of NAMES -> what it says."""

Change = Callable[[str, str], str]
"""(field path, text) -> text."""

_PERSONAL = frozenset(name for name in NAMES if name.startswith("participant."))
Holder = ConversationRequest | Properties
_FIELDS = tuple(field.name for field in fields(ConversationRequest))
_PROPERTIES = tuple(field.name for field in fields(Properties))


class Templates:
    """Checks and renders the texts of requests. Remembers what it compiled last, and nothing else."""

    def __init__(self) -> None:
        # The second wall: should `_names` ever let a name through, jinja2's own range, lipsum ... are gone.
        self._environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
        )
        self._environment.globals.clear()
        self._environment.filters = {name: self._environment.filters[name] for name in FILTERS}
        self._environment.tests.clear()
        self._held: dict[int, tuple[ConversationRequest, tuple[str, ...]]] = {}
        self._compiled = lru_cache(maxsize=CACHED)(self._compile)

    def check(self, request: ConversationRequest, *, with_participant: bool) -> tuple[tuple[str, str], ...]:
        """(field path, message) for every text that is broken, in the order of the fields.

        Paths are dotted, as in `participant_tags.0` or `properties.language`. Broken is: bad syntax,
        an unknown name, a forbidden construct, `participant.*` where there is none (S1), too long.
        """
        context = _SAMPLE if with_participant else replace(_SAMPLE, participant=None)
        values = _values(context)
        broken: list[tuple[str, str]] = []

        def attempt(path: str, source: str) -> str:
            try:
                self._text(source, values)
            except TemplateError as error:
                broken.append((path, str(error)))
            return source

        _changes(request, _FIELDS, "", attempt)
        return tuple(broken)

    def render(self, request: ConversationRequest, context: Context) -> ConversationRequest:
        """The request with every text rendered. Raises TemplateError, naming the field."""
        return replace(request, **self.texts(request, context))

    def texts(self, request: ConversationRequest, context: Context) -> dict[str, Any]:
        """The fields of the request that are different once their texts are rendered.

        Raises TemplateError, naming the field.
        """
        values = _values(context)

        def text(path: str, source: str) -> str:
            try:
                return self._text(source, values)
            except TemplateError as error:
                raise TemplateError(f"conversation.{path}: {error}") from None

        return _changes(request, self._templated(request), "", text)

    def _templated(self, request: ConversationRequest) -> tuple[str, ...]:
        """The fields that hold a template; remembered, since one request serves a whole roster."""
        held = self._held.get(id(request))
        if held is not None:  # it is this very request: what is held keeps its id
            return held[1]
        names: dict[str, None] = {}

        def note(path: str, source: str) -> str:
            names[path.partition(".")[0]] = None
            return source

        _changes(request, _FIELDS, "", note)
        if len(self._held) >= CACHED:
            self._held.pop(next(iter(self._held)))
        self._held[id(request)] = request, tuple(names)
        return tuple(names)

    def _text(self, source: str, values: Mapping[str, str]) -> str:
        rendered, personal = self._compiled(source)
        if personal and "participant_id" not in values:
            raise TemplateError("participant.* can't be used: the schedule has no participants")
        try:
            output = rendered(values)
        except (JinjaError, TypeError, ValueError) as error:
            raise TemplateError(str(error)) from None
        if len(output) > MAX_OUTPUT_CHARS:
            raise TemplateError(f"the text is longer than {MAX_OUTPUT_CHARS} characters")
        return output

    def _compile(self, source: str) -> tuple[Rendered, bool]:
        if len(source) > MAX_SOURCE_CHARS:
            raise TemplateError(f"a template may have {MAX_SOURCE_CHARS} characters, this has {len(source)}")
        # Besides bad syntax: a number of thousands of digits, brackets or `elif`s by the thousand.
        try:
            tree = self._environment.parse(source)
            used = frozenset(_names(tree, 0))
            flat: nodes.Template = _Flatten().visit(tree)
            rendered = _joined(flat) or self._environment.from_string(flat).render
            return rendered, not used.isdisjoint(_PERSONAL)
        except JinjaError as error:
            raise TemplateError(_where(source, error)) from None
        except (ValueError, RecursionError, MemoryError, SyntaxError):
            raise TemplateError("too long or too deep to be a template") from None


def _joined(flat: nodes.Template) -> Rendered | None:
    """Nearly every text is words and names and nothing else: those are joined, since jinja2 takes ten
    times as long to set up as to render, ten thousand times at 09:00. `None` for any other."""
    parts: list[nodes.Node] = []
    for output in flat.body:
        if not isinstance(output, nodes.Output):
            return None
        parts.extend(output.nodes)
    if not all(type(part) in (nodes.TemplateData, nodes.Name) for part in parts):
        return None
    said = [(part.data, "") if isinstance(part, nodes.TemplateData) else ("", part.name) for part in parts]  # type: ignore[attr-defined]
    return lambda values: "".join([data or values[name] for data, name in said])


def _values(context: Context) -> Mapping[str, str]:
    """The values of NAMES, `_` for the dot; without those of a participant where there is none."""
    slot, person = context.slot, context.participant
    values = {
        "slot_name": slot.name,
        "slot_date": slot.date,
        "slot_time": slot.time,
        "schedule_name": context.schedule,
    }
    if person is not None:
        values["participant_id"] = person.id
        values["participant_name"] = person.name
        values["participant_email"] = person.email or ""
        values["participant_timezone"] = person.timezone or ""
    return values


class _Flatten(NodeTransformer):
    """Turns `participant.name` into one plain name: a compiled template looks up no attribute."""

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Name:
        """Only after `_names` has let every name through."""
        return nodes.Name(_written(node).replace(".", "_"), "load", lineno=node.lineno)


def _names(node: nodes.Node, depth: int) -> Iterator[str]:
    """Every name used below `node`; raises TemplateError at the first thing that isn't allowed."""
    if depth > MAX_DEPTH:
        raise TemplateError("nested too deep")
    if isinstance(node, nodes.Getattr | nodes.Name):
        yield _known(node)
        return
    _refuse(node)
    for child in node.iter_child_nodes():
        yield from _names(child, depth + 1)


def _known(node: nodes.Getattr | nodes.Name) -> str:
    written = _written(node)
    if written in NAMES:
        return written
    close = get_close_matches(written, NAMES, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(NAMES)}"
    raise TemplateError(f"`{written}` is not known: {hint}")


def _written(node: nodes.Getattr | nodes.Name) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    return f"{node.node.name if isinstance(node.node, nodes.Name) else '...'}.{node.attr}"


def _refuse(node: nodes.Node) -> None:
    if not isinstance(node, _ALLOWED):
        raise TemplateError(f"`{type(node).__name__.lower()}` can't be used in a text: {_ALLOWED_WORDS}")
    if isinstance(node, nodes.Filter) and (node.name not in FILTERS or node.dyn_args or node.dyn_kwargs):
        raise TemplateError(f"the filter `{node.name}` can't be used like this: {_ALLOWED_WORDS}")


def _where(source: str, error: JinjaError) -> str:
    """The error, and its line if the text has several."""
    line = getattr(error, "lineno", None)
    return f"line {line}: {error.message}" if line and "\n" in source.strip() else str(error.message)


def _changes(holder: Holder, names: Iterable[str], prefix: str, change: Change) -> dict[str, Any]:
    """What is different in `holder` once `change` is applied to each template in `names`."""
    changes: dict[str, Any] = {}
    for name in names:
        value = getattr(holder, name)
        changed = _value_changed(value, prefix + name, change)
        if changed != value:
            changes[name] = changed
    return changes


def _value_changed(value: object, path: str, change: Change) -> object:
    if isinstance(value, str):
        return change(path, value) if "{{" in value or "{%" in value or "{#" in value else value
    if isinstance(value, tuple):
        return tuple(_value_changed(item, f"{path}.{place}", change) for place, item in enumerate(value))
    if isinstance(value, Mapping):
        return {key: _value_changed(item, f"{path}.{key}", change) for key, item in value.items()}
    if isinstance(value, Properties):
        return replace(value, **_changes(value, _PROPERTIES, f"{path}.", change))
    return value

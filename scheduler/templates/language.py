"""What a template may say: values by their names, `if`, comparisons and a few filters.

A template is checked on its syntax tree before anything of it is compiled: only the few constructs
and filters named here are let through, so nothing can loop, multiply, call or reach an attribute
that isn't among the names it is given. The sandboxed jinja2 environment below is the second wall, not
the first. What the names mean is the business of whoever renders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from jinja2 import StrictUndefined, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from markupsafe import escape

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

Rendered = Callable[[Mapping[str, str]], str]
"""A compiled text: the values of the names, `_` for their dots -> what it says."""


class TemplateError(Exception):
    """A text that can't be checked or rendered; the message is for people."""


class Compiled(NamedTuple):
    """A text that was let through, and the names in it, dotted."""

    rendered: Rendered
    used: frozenset[str]


class Language:
    """Templates over `names`; as HTML, each value is escaped. Remembers what it compiled last."""

    def __init__(self, names: tuple[str, ...], *, html: bool = False) -> None:
        self._names = names
        self._html = html
        # The second wall: should `_used` ever let a name through, jinja2's own range, lipsum ... are gone.
        self._environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, autoescape=html, keep_trailing_newline=True
        )
        self._environment.globals.clear()
        self._environment.filters = {name: self._environment.filters[name] for name in FILTERS}
        self._environment.tests.clear()
        self._compiled = lru_cache(maxsize=CACHED)(self._compile)

    def used(self, source: str) -> frozenset[str]:
        """The names in a text. Raises TemplateError for one that isn't let through."""
        return self._compiled(source).used

    def text(self, source: str, values: Mapping[str, str]) -> str:
        """What a text says; `values` have `_` for the dots of their names. Raises TemplateError."""
        try:
            output = self._compiled(source).rendered(values)
        except (JinjaError, LookupError, TypeError, ValueError) as error:
            raise TemplateError(str(error)) from None
        if len(output) > MAX_OUTPUT_CHARS:
            raise TemplateError(f"the text is longer than {MAX_OUTPUT_CHARS} characters")
        return output

    def _compile(self, source: str) -> Compiled:
        if len(source) > MAX_SOURCE_CHARS:
            raise TemplateError(f"a template may have {MAX_SOURCE_CHARS} characters, this has {len(source)}")
        # Besides bad syntax: a number of thousands of digits, brackets or `elif`s by the thousand.
        try:
            tree = self._environment.parse(source)
            used = frozenset(_used(tree, self._names, 0))
            flat: nodes.Template = _Flatten().visit(tree)
            return Compiled(_joined(flat, self._html) or self._environment.from_string(flat).render, used)
        except JinjaError as error:
            raise TemplateError(_where(source, error)) from None
        except (ValueError, RecursionError, MemoryError, SyntaxError):
            raise TemplateError("too long or too deep to be a template") from None


def _joined(flat: nodes.Template, html: bool) -> Rendered | None:
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
    if html:
        return lambda values: "".join([data or str(escape(values[name])) for data, name in said])
    return lambda values: "".join([data or values[name] for data, name in said])


class _Flatten(NodeTransformer):
    """Turns `participant.name` into one plain name: a compiled template looks up no attribute."""

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Name:
        """Only after `_used` has let every name through."""
        return nodes.Name(_written(node).replace(".", "_"), "load", lineno=node.lineno)


def _used(node: nodes.Node, names: tuple[str, ...], depth: int) -> Iterator[str]:
    """Every name used below `node`; raises TemplateError at the first thing that isn't allowed."""
    if depth > MAX_DEPTH:
        raise TemplateError("nested too deep")
    if isinstance(node, nodes.Getattr | nodes.Name):
        yield _known(node, names)
        return
    _refuse(node)
    for child in node.iter_child_nodes():
        yield from _used(child, names, depth + 1)


def _known(node: nodes.Getattr | nodes.Name, names: tuple[str, ...]) -> str:
    written = _written(node)
    if written in names:
        return written
    close = get_close_matches(written, names, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(names)}"
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

"""What a person probably meant where YAML's grammar gave up.

The parser names a place and a rule; here both become words about the text, with a way out. It only
looks at lines near the error, and never decides whether something is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

_KEY = r"""[^\s:#'"{\[\-][^:#{\[]*?|"[^"]*"|'[^']*'"""
_VALUE = re.compile(rf"\s*(?:-[ ]+)*(?:{_KEY})\s*:[ ]+(?P<keyed>\S.*)|\s*(?:-[ ]+)+(?P<item>\S.*)")
_QUOTED_MORE = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*(?P<more>[^\s#,}\]:])""")
_CLOSED_LIST = re.compile(r"\[.*\]\s*(#.*)?")
_IN_QUOTES = "put the whole value in quotes"


@dataclass(frozen=True, slots=True)
class Explained:
    """Where it went wrong (line and column from 1), what, and what to do."""

    line: int
    column: int
    message: str
    hint: str | None = None


def explain(lines: Sequence[str], error: yaml.MarkedYAMLError) -> Explained:
    """The parser's error in the user's terms; always inside the file."""
    line, column = _inside(lines, error.problem_mark or error.context_mark)
    return (
        _tab(lines, line, column)
        or _unclosed(lines, error)
        or _value(lines[line], line)
        or _started(lines[line], line, column)
        or _plain(error, line, column)
    )


def _inside(lines: Sequence[str], mark: yaml.Mark | None) -> tuple[int, int]:
    """Line and column from 0; the parser likes to complain one line below the end."""
    line = min(mark.line if mark else 0, len(lines) - 1)
    while line > 0 and not lines[line].strip():
        line -= 1
    at_mark = mark is not None and mark.line == line
    return line, min(mark.column, len(lines[line])) if mark and at_mark else len(lines[line].rstrip())


def _tab(lines: Sequence[str], line: int, column: int) -> Explained | None:
    text = lines[line]
    indent = text[: len(text) - len(text.lstrip())]
    place = indent.find("\t") if "\t" in indent else column if text[column : column + 1] == "\t" else -1
    if place < 0:
        return None
    return Explained(line + 1, place + 1, "a tab, where YAML takes only blanks", "indent with blanks")


def _unclosed(lines: Sequence[str], error: yaml.MarkedYAMLError) -> Explained | None:
    context, mark = error.context or "", error.context_mark
    if mark is None or "quoted scalar" not in context or "end of stream" not in (error.problem or ""):
        return _unclosed_list(lines, error)
    line, column = _inside(lines, mark)
    return Explained(line + 1, column + 1, "a quote that is never closed")


def _unclosed_list(lines: Sequence[str], error: yaml.MarkedYAMLError) -> Explained | None:
    context, mark = error.context or "", error.context_mark
    if mark is None or "parsing a flow" not in context:
        return None
    line, column = _inside(lines, mark)
    if error.problem_mark is not None and error.problem_mark.line == mark.line:
        return None
    opening = lines[line][column : column + 1]
    return Explained(
        line + 1, column + 1, f"a value that begins with `{opening}` and is never closed",
        "close it, or put the value in quotes if it is meant as text",
    )  # fmt: skip


def _value(text: str, line: int) -> Explained | None:
    """The error's line holds a value that had to be in quotes."""
    match = _VALUE.match(text)
    if match is None:
        return None
    name = "keyed" if match["keyed"] is not None else "item"
    value, start = match[name], match.start(name)
    for sign in ("{{", "*", "@", "`", "%", "["):
        if value.startswith(sign) and not (sign == "[" and _CLOSED_LIST.fullmatch(value)):
            message = f"a value that begins with `{sign}` must stand in quotes if it is meant as text"
            return Explained(line + 1, start + 1, message, _IN_QUOTES)
    if more := _QUOTED_MORE.match(value):
        message = "text goes on after the closing quote"
        return Explained(line + 1, start + more.start("more") + 1, message, _IN_QUOTES)
    if name == "keyed" and value[0] not in "\"'{|>" and (colon := re.search(r":(\s|$)", value)):
        message = "a `: ` inside a value looks like another key"
        return Explained(line + 1, start + colon.start() + 1, message, _IN_QUOTES)
    return None


def _started(text: str, line: int, column: int) -> Explained | None:
    """A sign that can't begin a value, anywhere on the line."""
    sign = text[column : column + 1]
    if not sign or sign not in "@`%":
        return None
    message = f"a value that begins with `{sign}` must stand in quotes if it is meant as text"
    return Explained(line + 1, column + 1, message, _IN_QUOTES)


def _plain(error: yaml.MarkedYAMLError, line: int, column: int) -> Explained:
    if "mapping values are not allowed" in (error.problem or ""):
        message = "a `: ` inside a value looks like another key"
        return Explained(line + 1, column + 1, message, f"{_IN_QUOTES}, or check the indentation")
    message = f"this can't be read as YAML: {error.problem or 'broken'}"
    return Explained(line + 1, column + 1, message, "is a `:` or a `,` missing, or is the indentation off?")

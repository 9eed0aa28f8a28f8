"""What is wrong with a configuration, and how that is shown to people.

Here stand a source file with its lines, a place in it, one problem, and the report that gathers
them all in file order. What is right or wrong is decided elsewhere; files aren't opened here.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from scheduler.config.masking import shown

Severity = Literal["error", "warning"]

MOST_PROBLEMS = 200
"""A file of nonsense has as many errors as lines; nobody reads further than this."""
WIDEST = 120
"""Characters of a source line that are shown."""
LONGEST = 2000
"""A longer line was written by no person, and is not shown at all."""

_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(frozen=True, eq=False)
class Source:
    """A file that was read: the name people know it by, its path, and its text."""

    name: str
    path: Path
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines as YAML counts them."""
        return _BREAKS.split(self.text)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a source; line and column count from 1, columns in characters."""

    source: Source
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong or doubtful. A line of 0 means the file (or path) as a whole.

    `source_line` never holds a secret: it is cut off before a value at a secret's key.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str | None = None
    severity: Severity = "error"
    source_line: str | None = None

    def render(self) -> str:
        """`file:line:column: severity: message`, the source line, a caret below, and the hint."""
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        rows = [f"{where}: {self.severity}: {self.message}"]
        if self.source_line is not None:
            rows += _underlined(self.source_line, self.column)
        if self.hint is not None:
            rows.append(f"  {self.hint}")
        return "\n".join(map(_printable, rows))

    def __str__(self) -> str:
        return self.render()


class ConfigErrors(Exception):
    """A configuration that can't be used; `problems` has every error and warning, in file order."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(problem.render() for problem in problems))
        self.problems = problems


@dataclass(slots=True)
class Report:
    """Gathers problems; the same thing said twice of one place is kept once."""

    _files: dict[str, int] = field(default_factory=dict)
    _found: dict[Problem, None] = field(default_factory=dict)
    _more: bool = False

    @property
    def full(self) -> bool:
        """Whether what comes now is only noted as more."""
        return len(self._found) >= MOST_PROBLEMS

    @property
    def failed(self) -> bool:
        """Whether anything so far is an error."""
        return self._more or any(problem.severity == "error" for problem in self._found)

    def error(self, mark: Mark, message: str, hint: str | None = None) -> None:
        """Something that must be changed."""
        self._more = self._more or self.full
        if not self.full:
            self._add(_at(mark, message, hint, "error"))

    def warn(self, mark: Mark, message: str, hint: str | None = None) -> None:
        """Something that may be meant so."""
        self._add(_at(mark, message, hint, "warning"))

    def refuse(self, name: str, message: str, hint: str | None = None) -> None:
        """A whole path that can't be used."""
        self._add(Problem(name, 0, 0, message, hint))

    def expect(self, name: str) -> None:
        """Fix the place of a file in the order."""
        self._files.setdefault(name, len(self._files))

    def problems(self) -> tuple[Problem, ...]:
        """All of them: by file as they were read, then by place."""
        found = sorted(self._found, key=lambda p: (self._files[p.file], p.line, p.column))
        if self._more:
            found.append(
                Problem(found[-1].file, 0, 0, f"there is more beyond these {MOST_PROBLEMS} problems")
            )
        return tuple(found)

    def _add(self, problem: Problem) -> None:
        self.expect(problem.file)
        if problem in self._found:
            return
        if self.full:
            self._more = True
        else:
            self._found[problem] = None


def quoted(text: str) -> str:
    """A value as a message shows it: on one line, not too long, nothing that drives a terminal.

    Without the blank after its colon, `api_key:...` is a text like any other: it ends there, too.
    """
    flat = shown([_printable(text[:LONGEST])], 0)
    return f'"{flat}"' if len(flat) <= 60 else f'"{flat[:57]}..."'


def _at(mark: Mark, message: str, hint: str | None, severity: Severity) -> Problem:
    lines = mark.source.lines
    line = shown(lines, mark.line - 1) if len(lines[mark.line - 1]) <= LONGEST else None
    return Problem(mark.source.name, mark.line, mark.column, message, hint, severity, line)


def _underlined(line: str, column: int) -> list[str]:
    """The part of the line around the column, and a caret under it (or under its end)."""
    before, after = line[: column - 1], line[column - 1 :]
    if len(before) > WIDEST * 2 // 3:
        before = "..." + before[-WIDEST // 2 :]
    after = after[: WIDEST - min(len(before), WIDEST // 2)]
    return ["    " + before + after, "    " + " " * sum(map(_width, before)) + "^"]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " if c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _width(character: str) -> int:
    """Columns on a terminal."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

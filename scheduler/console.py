"""Log lines as a person at a terminal reads them: when, what, whose, and what is remarkable about it.

An event becomes one line, or more where the terminal is narrow: fields are never cut, so that keys and links
can be copied. It leaves out what the key says already and what is as it should be; the JSON style has every
field. Where lines go, and what they must not hold, is `telemetry`'s.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, MutableMapping
from typing import Any

from structlog import DropEvent

EVENT_COLUMNS = 12
INDENT = " " * len("09:00:00  ")
REMARKABLE_S = 1.0
"""A step or a delay shorter than this is as it should be."""

YELLOW, GREEN, DIM, PLAIN = "\x1b[33m", "\x1b[32m", "\x1b[2m", "\x1b[0m"
IN_THE_KEY = ("schedule", "participant")


class Console:
    """A renderer for structlog; `columns` is the terminal's width, measured at each line where it is None."""

    def __init__(self, *, color: bool, columns: int | None = None) -> None:
        self._color = color
        self._columns = columns

    def __call__(self, _logger: object, _name: str, event: MutableMapping[str, Any]) -> str:
        """One event as text. Raises DropEvent for what another line has told."""
        if event["event"] == "delivered" and event.get("channel") == "log":
            raise DropEvent  # the link's own line, just before, is this delivery
        grave = event["level"] == "warning"
        told = f"{event['event'] + '  ':<{EVENT_COLUMNS}}"
        name = self._painted(told, YELLOW if grave else GREEN)
        lines = [f"{event['timestamp']}  {name}{first}" if n == 0 else f"{INDENT}{' ' * EVENT_COLUMNS}{first}"
                 for n, first in enumerate(self._filled(list(_words(event)), len(told)))]  # fmt: skip
        return "\n".join([*lines, *filter(None, [event.get("exception")])])

    def _filled(self, words: list[str], name_columns: int) -> Iterator[str]:
        """Words on as few lines as the width allows, the first of them beside the event's name; one that is
        wider than a line has a line of its own."""
        columns = (self._columns or shutil.get_terminal_size().columns) - len(INDENT)
        line, room = "", columns - name_columns
        for word in words:
            if line and len(line) + 2 + len(word) > room:
                yield line
                line, room = "", columns - EVENT_COLUMNS
            line = f"{line}  {word}" if line else word
        yield line

    def _painted(self, text: str, paint: str) -> str:
        return f"{paint}{text}{PLAIN}" if self._color else text


def _words(event: MutableMapping[str, Any]) -> Iterator[str]:
    for name in ("key", "url"):
        if name in event:
            yield str(event[name])
    for name, value in event.items():
        if _is_remarkable(name, value, event):
            yield f"{name}={_quoted(value)}"


def _is_remarkable(name: str, value: Any, event: MutableMapping[str, Any]) -> bool:
    match name:
        case "key" | "url" | "event" | "level" | "timestamp" | "exception" | "conversation_id":
            return False
        case "schedule" | "participant":
            return "key" not in event
        case "attempt":
            return bool(value > 1)
        case "took" | "lateness_s":
            return bool(value >= REMARKABLE_S)
        case "stage":
            return value not in (event["event"], "live")
        case _:
            return value is not None and value != [] and value != ""


def _quoted(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f'"{text}"' if " " in text else text

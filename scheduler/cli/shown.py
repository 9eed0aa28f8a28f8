"""How answers are written: JSON or text, coloured or not, in rows that line up.

Every command takes `--json` and `--no-color`. Rows are written in batches as they come, so that a long
plan begins at once and costs no memory. What is shown is the commands' business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

BATCH_LINES = 500
"""Lines that are written at a time: each write is flushed, and a flush for each line is slow."""


NARROWEST_COLUMNS = 20
"""What is folded narrower can't be read, and is left to the terminal."""


class Refusal(click.ClickException):
    """A known error: one clear line with its fix, and the exit code that says whose it is."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.code = exit_code


class _AnyText(click.types.BoolParamType):
    """A flag that any text sets, as https://no-color.org asks of NO_COLOR."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        return bool(value)


def _without_color(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.color = False


def conventions(command: F) -> F:
    """Give a command what all have: `--json` (as `as_json`) and `--no-color`."""
    command = click.option(
        "--no-color",
        is_flag=True,
        type=_AnyText(),
        envvar="NO_COLOR",
        is_eager=True,
        expose_value=False,
        callback=_without_color,
        help="Show no colours, as with NO_COLOR.",
    )(command)
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(command)


_ONE_LINE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def as_text(value: object) -> str:
    """One JSON value on one line."""
    return _ONE_LINE.encode(value)


def document(value: object) -> None:
    """Write one JSON document for people and machines alike."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def write(lines: Iterable[str]) -> None:
    """Write lines to stdout as they come, a batch at a time."""
    waiting = iter(lines)
    while batch := list(islice(waiting, BATCH_LINES)):
        click.echo("\n".join(batch))


def aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows whose columns line up, two blanks apart; nothing is cut, since keys are made to be copied."""
    table = [[(cell, _columns(cell)) for cell in row] for row in rows]
    widths = [max(width for _, width in column) for column in zip(*table, strict=True)]
    padded = (
        [cell + " " * (widest - width) for (cell, width), widest in zip(row, widths, strict=True)]
        for row in table
    )
    return ["  ".join(row).rstrip() for row in padded]


def folded(columns: int, text: str) -> str:
    """A text for people on lines that fit the terminal, under each other from this column on."""
    width = max(NARROWEST_COLUMNS, get_terminal_size().columns - columns)
    lines = wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * columns}".join(lines)


def _columns(cell: str) -> int:
    """How wide a cell is on a terminal."""
    plain = click.unstyle(cell) if "\x1b" in cell else cell
    if plain.isascii():
        return len(plain)
    from rich.cells import cell_len

    return cell_len(plain)


def count(number: int, noun: str) -> str:
    """`1 error`, `2,000 errors`."""
    return f"{number:,} {noun}{'s' if number != 1 else ''}"

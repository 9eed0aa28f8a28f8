"""A figure: what was measured beside what was asked for; and the table that shows them."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
BEGIN_PART = "<!-- {} -->"
VERSIONS = ("aiohttp", "apscheduler", "celery", "schedule", "structlog")


class Figure(NamedTuple):
    """One line of the table. `holds` is None for what is only told."""

    what: str
    measured: str
    asked: str = ""
    holds: bool | None = None

    @classmethod
    def at_most(cls, what: str, value: float, most: float, unit: str = "s", goal: str = "") -> Figure:
        asked = f"at most {most:g} {unit}" + (f" (goal {goal})" if goal else "")
        return cls(what, f"{short(value)} {unit}", asked, value <= most)

    @classmethod
    def at_least(cls, what: str, value: float, least: float, unit: str = "x", goal: str = "") -> Figure:
        asked = f"at least {least:g} {unit}" + (f" (goal {goal})" if goal else "")
        return cls(what, f"{short(value)} {unit}", asked, value >= least)

    @classmethod
    def told(cls, what: str, value: float, unit: str) -> Figure:
        return cls(what, f"{short(value)} {unit}")


def lines(figures: Iterable[Figure]) -> str:
    """Figures as text between processes."""
    return "\n".join(json.dumps(each) for each in figures)


def read(text: str) -> list[Figure]:
    return [Figure(*json.loads(line)) for line in text.splitlines() if line.startswith("[")]


def table(figures: Iterable[Figure]) -> str:
    """Markdown; what doesn't hold stands out."""
    marks = {None: "", True: "yes", False: "**no**"}
    rows = [f"| {f.what} | {f.measured} | {f.asked} | {marks[f.holds]} |" for f in figures]
    return "\n".join(["| what | measured | asked for | holds |", "|---|---|---|---|", *rows])


def machine() -> str:
    """What it was measured on."""
    versions = [f"{name} {_version(name)}" for name in VERSIONS]
    cores = f"{os.cpu_count()} cores ({platform.machine()})"
    return (
        f"{cores}, {platform.system()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        + (", ".join(versions))
    )


def write_readme(found: Mapping[str, Sequence[Figure]], parts: Iterable[str], date: str) -> None:
    """Put these parts' figures where their last ones stood; other parts keep theirs, and their dates."""
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    kept, _, after = rest.partition(END)
    known = _blocks(kept)
    known |= {part: f"**{part}**, {date}; {machine()}\n\n{table(each)}" for part, each in found.items()}
    shown = [f"{BEGIN_PART.format(part)}\n{known[part]}\n" for part in parts if part in known]
    README.write_text("\n".join([before + BEGIN, *shown, END]) + after, "utf-8")


def _blocks(shown: str) -> dict[str, str]:
    """What stands in README now, by part."""
    found = re.split(BEGIN_PART.format(r"(\w+)"), shown)
    return {part: block.strip() for part, block in zip(found[1::2], found[2::2], strict=True)}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def short(value: float) -> str:
    """Three digits of a small number, all of a large one."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

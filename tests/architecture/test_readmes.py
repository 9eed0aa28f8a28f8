"""The READMEs of the two rooms say what the code says: every module, every rule, the life of an occurrence.

What is read here is the shape of the pages: the code map's rows, the diagram's arrows, the bold numbers of
the rules. Whether the words are true is for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.facts import KINDS, REASONS, Stage
from scheduler.lifecycle import TABLE

ROOT = Path(__file__).parents[2]
ROOMS = ("scheduler", "jobs")
PAGES = {room: (ROOT / room / "README.md").read_text("utf-8") for room in ROOMS}
BUILT = {*(f"S{n}" for n in range(1, 19)), "S21", "S22", "S23", "S27", "S28", "S29", "S31"}
LINE = 160

Moves = set[tuple[str, str, str]]
"""(the stage before, the kind of fact, the stage after), in the words of the page."""


def section(room: str, title: str) -> str:
    """The text under a heading, up to the next one of its height."""
    return re.split(r"^## ", PAGES[room].split(f"\n## {title}\n")[1], maxsplit=1, flags=re.M)[0]


def table(text: str) -> list[list[str]]:
    """The cells of every row of the tables in a text, without their heads."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for n, row in enumerate(rows) if n and "---" not in row[0]]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# --- the code map ----------------------------------------------------------------------------------


def mapped(room: str) -> list[str]:
    """The modules that a code map names, as paths below its room."""
    named = []
    for first, files, *_ in table(section(room, "Code map")):
        (name,) = words(first)
        named += [f"{name}{file}.py" for file in words(files)] if name.endswith("/") else [f"{name}.py"]
    return named


def modules(room: str) -> set[str]:
    return {
        str(path.relative_to(ROOT / room))
        for path in (ROOT / room).rglob("*.py")
        if path.name != "__init__.py"
    }


@pytest.mark.parametrize("room", ROOMS)
def test_the_map_has_every_module_once_and_invents_none(room: str) -> None:
    named = mapped(room)
    assert len(named) == len(set(named))
    assert set(named) == modules(room)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_told_in_a_line(room: str) -> None:
    assert [row for row in table(section(room, "Code map")) if not 3 <= len(row[2].split()) <= 30] == []


# --- the life of an occurrence ---------------------------------------------------------------------


def coded() -> Moves:
    return {
        (str(stage), kind.__name__, str(to)) for (stage, kind), row in TABLE.items() for to in row.leads_to
    }


def drawn() -> Moves:
    """The arrows of the diagram, but for where it begins and ends."""
    arrows = re.findall(r"^ *(\w+) --> (\w+): (.+)$", section("scheduler", "The life of an occurrence"), re.M)
    return {(before, fact, to) for before, to, facts in arrows for fact in facts.split(", ")}


def listed() -> Moves:
    """The facts that leave a record in its stage, from the table of stages."""
    rows = table(section("scheduler", "The life of an occurrence"))
    return {
        (stage, fact, stage)
        for first, _, facts in rows
        for stage in (words(first) or map(str, Stage))
        for fact in facts.split(", ")
    }


def test_the_diagram_is_the_table() -> None:
    assert drawn() == {move for move in coded() if move[0] != move[2]}


def test_the_table_of_stages_is_the_table() -> None:
    assert listed() == {move for move in coded() if move[0] == move[2]}


def test_the_diagram_begins_and_ends() -> None:
    text = section("scheduler", "The life of an occurrence")
    assert set(re.findall(r"\[\*\] --> (\w+)", text)) == {str(Stage.PLANNED)}
    assert set(re.findall(r"(\w+) --> \[\*\]", text)) == set(map(str, REASONS))


def test_the_reasons_are_those_of_the_code() -> None:
    text = section("scheduler", "The life of an occurrence").split("**Reasons**")[1].split("**Corners.**")[0]
    told = re.findall(r"\*(\w+)\* ([\w, \n]+)", text)
    assert {stage: set(re.findall(r"\w+", reasons)) for stage, reasons in told} == {
        str(stage): set(map(str, reasons)) for stage, reasons in REASONS.items()
    }


def test_every_fact_is_told() -> None:
    assert {fact for _, fact, _ in drawn() | listed()} == {kind.__name__ for kind in KINDS.values()}


# --- the rules -------------------------------------------------------------------------------------


def restated() -> list[str]:
    """The numbers of the rules that the two pages restate."""
    return [
        number
        for room in ROOMS
        for number in re.findall(r"^\* \*\*(S\d+)\b", section(room, "The rules"), re.M)
    ]


def cited() -> Iterator[tuple[str, str]]:
    """Every rule's number in the product's code, and where it stands."""
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file()):
        if path.suffix in (".py", ".sql"):
            for number in re.findall(r"\bS[1-9]\d?\b", path.read_text("utf-8")):
                yield number, str(path.relative_to(ROOT))


def test_each_rule_that_is_built_is_restated_once() -> None:
    assert sorted(restated()) == sorted(BUILT)


def test_whatever_rule_the_code_cites_is_restated() -> None:
    assert [place for place in cited() if place[0] not in BUILT] == []
    assert len({number for number, _ in cited()}) > 15


# --- the pages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ROOMS)
def test_links_lead_somewhere(room: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[room]):
        path, _, anchor = target.partition("#")
        page = (ROOT / room / path).resolve() if path else ROOT / room / "README.md"
        assert page.is_file(), target
        headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.M)
        assert not anchor or anchor in {h.casefold().replace(" ", "-") for h in headings}, target


@pytest.mark.parametrize("room", ROOMS)
def test_lines_can_be_read_in_an_editor(room: str) -> None:
    long = [line for line in PAGES[room].splitlines() if len(line) > LINE and not line.startswith("|")]
    assert long == []

"""What counts as a change of the files: content, also of rosters and behind links; and where to look."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.config import content

YAML = "version: 1\nrosters:\n  west: {file: people/west.csv}\n  here: [{id: a, name: A}]\nschedules: {}\n"
CSV = "id,name\nana,Ana\n"


@pytest.fixture
def team(tmp_path: Path) -> Path:
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "west.csv").write_text(CSV)
    (tmp_path / "callboard.yaml").write_text(YAML)
    return tmp_path / "callboard.yaml"


def digest(*paths: Path) -> str:
    return content(paths).digest


def touched(team: Path) -> None:
    os.utime(team, (1, 1))


def again(team: Path) -> None:
    team.with_name("new").write_text(YAML)
    team.with_name("new").replace(team)


def a_neighbour(team: Path) -> None:
    team.with_name("notes.yaml").write_text("x: 1")


def a_roster(team: Path) -> None:
    (team.parent / "people" / "west.csv").write_text(CSV + "ben,Ben\n")


def no_roster(team: Path) -> None:
    (team.parent / "people" / "west.csv").unlink()


def gone(team: Path) -> None:
    team.unlink()


def broken(team: Path) -> None:
    team.write_text(YAML + "a: [")


@pytest.mark.parametrize("change", [touched, again, a_neighbour])
def test_what_is_no_change(team: Path, change: Callable[[Path], None]) -> None:
    before = digest(team)
    change(team)
    assert digest(team) == before


@pytest.mark.parametrize("change", [a_roster, no_roster, gone, broken])
def test_what_is_one(team: Path, change: Callable[[Path], None]) -> None:
    before = digest(team)
    change(team)
    assert digest(team) != before
    assert digest(team) == digest(team)


def test_a_directory_counts_with_all_its_files(team: Path) -> None:
    before = digest(team.parent)
    a_neighbour(team)
    assert digest(team.parent) != before


def test_a_roster_that_is_still_to_come_is_waited_for_where_it_will_be(team: Path) -> None:
    no_roster(team)
    assert content([team]).directories == (team.parent, team.parent / "people")
    before = digest(team)
    (team.parent / "people" / "west.csv").write_text(CSV)
    assert digest(team) != before


def test_the_directories_of_links_and_of_what_they_lead_to(team: Path, tmp_path: Path) -> None:
    link = tmp_path / "etc" / "callboard.yaml"
    link.parent.mkdir()
    link.symlink_to(team)
    found = content([link]).directories
    assert set(found) >= {link.parent, team.parent}
    assert all(place.is_dir() for place in found)


def test_a_switched_link_is_a_change(tmp_path: Path) -> None:
    """As Kubernetes does it: the file leads through `..data`, which is switched as a whole."""
    for name, text in (("..one", YAML), ("..two", YAML + "#")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "callboard.yaml").write_text(text)
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "callboard.yaml").symlink_to("..data/callboard.yaml")
    before = digest(tmp_path / "callboard.yaml")
    (tmp_path / "..new").symlink_to("..two")
    (tmp_path / "..new").replace(tmp_path / "..data")
    assert digest(tmp_path / "callboard.yaml") != before

"""Where the ledger is, whatever else is wrong with the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.config.whereabouts import ledger_of


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("version: 1\nservice: {ledger: here.db}\n", "here.db"),
        ("service:\n  ledger: 'sub/x y.db' # ours\n  listn: nonsense\n", "sub/x y.db"),
        ("version: 1\nservice: {ledger: ''}\n", "callboard.db"),
        ("version: 1\nservice: nonsense\n", "callboard.db"),
        ("service:\n  ledger: here.db # ours\nschedules: {a: [\n", "here.db"),
        ('service: {listen: x, ledger: "here.db", a}\n  b: [', "here.db"),
        ("schedules: [", "callboard.db"),
        ("", "callboard.db"),
        ("service: {ledger: /var/lib/x.db}", "/var/lib/x.db"),
    ],
)
def test_the_ledger_is_found(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "callboard.yaml").write_text(text)
    assert ledger_of([tmp_path / "callboard.yaml"]) == str(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "service: {ledger: 'postgresql://me@db/x', listn: nonsense}\n",
        "service:\n  ledger: postgresql://me@db/x # ours\nschedules: {a: [\n",
    ],
)
def test_a_database_is_where_its_url_says(tmp_path: Path, text: str) -> None:
    (tmp_path / "callboard.yaml").write_text(text)
    assert ledger_of([tmp_path / "callboard.yaml"]) == "postgresql://me@db/x"


def test_beside_the_file_that_names_it(tmp_path: Path) -> None:
    for name, text in {"a/one.yaml": "version: 1\n", "b/two.yaml": "service: {ledger: x.db}\n"}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    assert ledger_of([tmp_path / "a", tmp_path / "b"]) == str(tmp_path / "b" / "x.db")


def test_nothing_to_read_names_nothing(tmp_path: Path) -> None:
    assert ledger_of([tmp_path / "callboard.yaml"]) is None
    assert ledger_of([tmp_path]) is None

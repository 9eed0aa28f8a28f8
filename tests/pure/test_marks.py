"""Our mark at the end of a conversation's name: made, read back, and never somebody else's (S12)."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scheduler import marks

SECRET = bytes(range(32))
KEY = "practice/09:00/2026-11-22/ana"


@given(st.binary(min_size=32, max_size=32), st.text(), st.none() | st.text(), st.integers(1, 9_999))
def test_what_is_marked_reads_back_whatever_its_name(
    secret: bytes, key: str, name: str | None, attempt: int
) -> None:
    mark = marks.mark(secret, key)
    assert re.fullmatch("[A-Z2-7]{16}", mark)
    assert marks.read(marks.marked(name, mark, attempt)) == (mark, attempt)


@given(st.binary(min_size=32, max_size=32), st.text(), st.text())
def test_another_secret_or_another_key_gives_another_mark(secret: bytes, key: str, other: str) -> None:
    assume(secret != SECRET and key != other)
    assert len({marks.mark(SECRET, key), marks.mark(secret, key), marks.mark(SECRET, other)}) == 3


def test_a_mark_is_fixed_for_ever() -> None:
    """A ledger outlives the program that made it: its marks must still be its own."""
    assert marks.mark(SECRET, KEY) == "OFG35NIEYFB6NFBT"
    assert marks.marked("Improve", "A" * 16, 3) == "Improve [cb-AAAAAAAAAAAAAAAA-3]"


def test_the_mark_gives_nothing_of_the_key_away() -> None:
    assert "ana" not in marks.marked(None, marks.mark(SECRET, KEY), 1)


def test_only_the_last_mark_counts() -> None:
    inner = marks.marked("Practice", "A" * 16, 1)
    assert marks.read(marks.marked(inner, "B" * 16, 2)) == ("B" * 16, 2)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Practice",
        "[cb-AAAAAAAAAAAAAAAA-1]",
        "Practice[cb-AAAAAAAAAAAAAAAA-1]",
        "Practice [cb-AAAAAAAAAAAAAAAA-1] ",
        "Practice [cb-AAAAAAAAAAAAAAAA-1]\n",
        "Practice [cb-AAAAAAAAAAAAAAAA-1] copy",
        "Practice [cb-AAAAAAAAAAAAAAA-1]",
        "Practice [cb-AAAAAAAAAAAAAAAAA-1]",
        "Practice [cb-aaaaaaaaaaaaaaaa-1]",
        "Practice [cb-AAAAAAAAAAAAAAA1-1]",
        "Practice [cb-AAAAAAAAAAAAAAAA-0]",
        "Practice [cb-AAAAAAAAAAAAAAAA-01]",
        "Practice [cb-AAAAAAAAAAAAAAAA--1]",
        "Practice [cb-AAAAAAAAAAAAAAAA-12345]",
        "Practice [cb-AAAAAAAAAAAAAAAA-١]",
    ],
)
def test_what_is_no_mark(name: str) -> None:
    assert marks.read(name) is None

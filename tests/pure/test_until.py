"""When a pause ends, as people write it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click
import pytest

from scheduler.cli.until import Until, clock_time

NOON = 1_796_040_000.0
"""2026-11-30T12:00:00Z."""


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock shows 13:00 then."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "after_s"), [("13:30", 1800), ("13:00", 86_400), ("9:30", 73_800), ("23:59:59", 39_599)]
)
def test_a_clock_time_is_the_next_one(in_berlin: None, text: str, after_s: float) -> None:
    assert clock_time(text, NOON) == NOON + after_s


@pytest.mark.parametrize(
    ("text", "at"),
    [("2026-11-30T13:30", NOON + 1800), ("2026-11-30T12:30Z", NOON + 1800), ("2026-12-01", NOON + 39_600)],
)
def test_a_date_is_this_machines_unless_it_says_otherwise(in_berlin: None, text: str, at: float) -> None:
    assert Until().convert(text, None, None) == at


def test_a_duration_is_counted_from_now() -> None:
    ninety, hour = (Until().convert(text, None, None) for text in ("90m", "1h"))
    assert 1790 < ninety - hour < 1810


@pytest.mark.parametrize("text", ["soon", "25:00", "-5m", "2026-13-01", ""])
def test_anything_else_is_told(text: str) -> None:
    with pytest.raises(click.BadParameter, match="09:30"):
        Until().convert(text, None, None)

"""How the command line shows things: moments, rows, and days that are still being filled."""

from __future__ import annotations

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.cli.moments import by_local_date, local, rfc3339, wall_time
from scheduler.cli.plan import Moment
from scheduler.cli.shown import aligned, count
from scheduler.model import Occurrence

HOUR_S = 3600.0
NOON = 1_764_590_400.0
"""2025-12-01T12:00:00Z."""


def occurrence(due: float, day: str) -> Occurrence:
    return Occurrence("s", "09:00", day, "ana", due, due - 30, due + 600, 0, "UTC")


@pytest.mark.parametrize(
    ("instant", "text"),
    [(NOON, "2025-12-01T12:00:00Z"), (NOON + 0.25, "2025-12-01T12:00:00.250Z"), (None, None)],
)
def test_instants_are_rfc_3339_in_utc(instant: float | None, text: str | None) -> None:
    assert rfc3339(instant) == text


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-12-01", NOON - 12 * HOUR_S),
        ("2025-12-01T12:00", NOON),
        ("2025-12-01 12:00:00Z", NOON),
        ("2025-12-01T07:00-05:00", NOON),
    ],
)
def test_a_moment_is_in_utc_unless_it_says_otherwise(text: str, instant: float) -> None:
    assert Moment().convert(text, None, None) == instant


@pytest.mark.parametrize("text", ["tomorrow", "2025-13-01", "", "09:00"])
def test_what_is_no_moment_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not like 2026-12-01"):
        Moment().convert(text, None, None)


def test_local_is_the_clock_on_the_wall_with_its_offset() -> None:
    shown = local(NOON, "Asia/Kolkata").isoformat()
    assert shown == "2025-12-01T17:30:00+05:30"
    assert (wall_time(NOON, "Asia/Kolkata"), wall_time(NOON + 5, "UTC")) == ("17:30", "12:00:05")


def test_columns_line_up_and_nothing_is_cut() -> None:
    key = "k" * 200
    rows = aligned([("09:00", "UTC", key), ("9", click.style("東京", fg="red"), "b")])
    assert rows[0] == f"09:00  UTC   {key}"
    assert click.unstyle(rows[1]) == "9      東京  b"


def test_no_rows_are_no_lines() -> None:
    assert aligned([]) == []


@pytest.mark.parametrize(("number", "text"), [(0, "0 errors"), (1, "1 error"), (2000, "2,000 errors")])
def test_counts_have_their_plural(number: int, text: str) -> None:
    assert count(number, "error") == text


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 10 * 24), st.sampled_from([-12, -5, 0, 5.75, 14])), max_size=60))
def test_a_date_is_shown_once_and_whole_however_the_zones_mix(moments: list[tuple[float, float]]) -> None:
    """Dates come in order, each exactly once, and no occurrence is lost, for every offset from -12 to +14."""
    coming = [
        occurrence(NOON + hours * HOUR_S, rfc3339(int(NOON + (hours + offset) * HOUR_S))[:10])  # type: ignore[index]
        for hours, offset in sorted(moments)
    ]
    days = list(by_local_date(coming))
    assert [day for day, _ in days] == sorted({each.date for each in coming})
    assert all(each.date == day for day, rows in days for each in rows)
    assert sum(len(rows) for _, rows in days) == len(coming)


def test_days_are_given_out_while_the_plan_goes_on() -> None:
    """A stream without an end gives its first day at once: nothing waits for the whole plan."""
    endless = (occurrence(NOON + n * 24 * HOUR_S, rfc3339(NOON + n * 24 * HOUR_S)[:10]) for n in range(10**9))  # type: ignore[index]
    day, rows = next(by_local_date(endless))
    assert (day, len(rows)) == ("2025-12-01", 1)

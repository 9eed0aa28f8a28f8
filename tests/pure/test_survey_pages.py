"""Which pages of the list a Survey reads, in what order, and when it stops (S12)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model import Listed, Page
from jobs.model import Survey as PageStep
from scheduler.facts import Doubted
from scheduler.record import Record
from scheduler.runner import Survey
from tests.pure.lives import T0, creating, live, lost

MARK = "[cb-AAAAAAAAAAAAAAAA-1]"


def rows(count: int, *, active: bool = True, first: float = T0, step: float = -1.0) -> list[Listed]:
    """Rows in the server's order: the first made at `first`, each next one `step` seconds from it."""
    status = "a" if active else "e"
    return [
        Listed(f"{status}{n}", f"Practice {MARK}", "https://u", active, first + n * step)
        for n in range(count)
    ]


def read(
    survey: Survey, listed: Sequence[Listed], *, total: bool = True, most: int = 100
) -> list[tuple[str, int]]:
    """Walk the list as a server pages it, `most` rows at a time; the pages that were asked for."""
    asked = []
    while (step := survey.step) is not None:
        asked.append((step.status, step.page))
        of_status = [row for row in listed if row.active == (step.status == "active")]
        size = min(step.limit, most)
        page = of_status[(step.page - 1) * size : step.page * size]
        survey.take(Page(tuple(page), len(of_status) if total else None))
    return asked


def last() -> Record:
    """A record whose look at T0 + 40 is overdue by more than half a minute, so its last."""
    return lost()


def test_a_look_that_is_not_the_last_reads_active_ones_only() -> None:
    survey = Survey(T0 + 8, [lost()._replace(mark="B" * 16)])
    assert read(survey, [*rows(250), *rows(50, active=False)]) == [("active", n) for n in (1, 2, 3)]
    assert len(survey.rows) == 250
    assert survey.complete


def test_a_walk_for_looks_ends_when_all_of_them_are_found() -> None:
    found = rows(300)
    later = replace(found[150], name="Practice [cb-BBBBBBBBBBBBBBBB-1]")
    survey = Survey(T0 + 8, [lost(), lost()._replace(mark="B" * 16)])
    assert read(survey, [*found[:150], later, *found[151:]]) == [("active", 1), ("active", 2)]
    assert not survey.complete
    told = live()._replace(created_at=T0 - 100)
    assert not [note for note in survey.notes({}, [told], {}, T0 + 9) if isinstance(note.fact, Doubted)]


@pytest.mark.parametrize(
    ("looking", "row"),
    [
        ([lost(), lost()._replace(mark="B" * 16)], {}),
        ([lost()._replace(attempt=2)], {}),
        ([lost()], {"url": ""}),
        ([lost()], {"active": False}),
        ([], {}),
    ],
    ids=["one is missing", "maybe two", "private", "over", "a regular one"],
)
def test_it_goes_on_while_there_may_be_more_to_find(looking: list[Record], row: dict[str, object]) -> None:
    survey = Survey(T0 + 8, looking)
    for page in (1, 2, 3):
        assert survey.step == PageStep("active", page)
        survey.take(
            Page(tuple(replace(each, **row) for each in rows(300)[100 * page - 100 : 100 * page]), 300)
        )
    assert survey.step is None
    assert survey.complete


def test_nobody_in_flight_makes_it_read_the_ended_ones() -> None:
    assert read(Survey(T0 + 4_000, [creating()]), rows(3)) == [("active", 1)]


@pytest.mark.parametrize(
    ("count", "total", "pages"),
    [
        (0, True, 1),
        (1, True, 1),
        (100, True, 1),
        (101, True, 2),
        (0, False, 1),
        (100, False, 2),
        (101, False, 3),
    ],
)
def test_it_stops_at_the_end_of_the_list(count: int, total: bool, pages: int) -> None:
    survey = Survey(T0, [])
    assert len(read(survey, rows(count), total=total)) == pages
    assert len(survey.rows) == count


@pytest.mark.parametrize("total", [True, False])
def test_a_server_that_gives_less_than_was_asked_for_is_read_to_its_end(total: bool) -> None:
    survey = Survey(T0, [])
    read(survey, rows(70), total=total, most=20)
    assert len(survey.rows) == 70


def test_a_last_look_reads_ended_ones_until_a_page_is_older_than_ten_minutes_before_the_attempt() -> None:
    listed = [*rows(2), *rows(2_000, active=False, step=-10.0)]
    survey = Survey(T0 + 40, [last(), last()._replace(key="b", attempted_at=T0 - 4_000)])
    asked = read(survey, listed)
    assert asked == [("active", 1), *(("ended", n) for n in range(1, 7))]
    assert read(Survey(T0 + 40, [last()]), listed)[-1] == ("ended", 2)


@pytest.mark.parametrize("shuffled", [lambda r: r[::-1], lambda r: random.Random(1).sample(r, len(r))])
def test_in_any_other_order_it_reads_them_all(shuffled: Callable[[list[Listed]], list[Listed]]) -> None:
    survey = Survey(T0 + 40, [last()])
    listed = [*rows(1), *shuffled(rows(900, active=False, step=-100.0))]
    assert len(read(survey, listed)) == 10
    assert len(survey.rows) == 901


@pytest.mark.parametrize(("count", "overflowed"), [(5_000, False), (5_001, True)])
def test_fifty_pages_of_ended_rows_in_no_order_are_the_most(count: int, overflowed: bool) -> None:
    survey = Survey(T0 + 40, [last()])
    asked = read(survey, rows(count, active=False, step=1.0))
    assert survey.overflowed is overflowed
    assert len([page for status, page in asked if status == "ended"]) == 50


@pytest.mark.parametrize("active", [True, False])
def test_what_the_plan_or_the_time_bounds_is_read_to_its_end(active: bool) -> None:
    """Ten thousand running at once, or made within ten minutes, newest first."""
    survey = Survey(T0 + 40, [last()])
    read(survey, rows(10_000, active=active, step=-0.01))
    assert not survey.overflowed
    assert len(survey.rows) == 10_000


def test_a_server_that_repeats_itself_is_given_up() -> None:
    survey, asked = Survey(T0 + 40, [last()]), 0
    while survey.step is not None:
        survey.take(Page(tuple(rows(100)), 9_999))
        asked += 1
    assert survey.overflowed
    assert asked == 2 * (1 + 50), "of either status"


def test_an_ended_row_of_the_same_conversation_does_not_hide_the_active_one() -> None:
    survey = Survey(T0 + 40, [last()])
    (row,) = rows(1)
    read(survey, [row, replace(row, active=False)])
    assert survey.rows == {row.conversation_id: row}


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 420),
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 419)), max_size=4),
)
def test_a_list_that_shrinks_while_it_is_read_hides_no_row(count: int, ends: list[tuple[int, int]]) -> None:
    """Newest first: when one ends, every older row moves up, maybe onto a page that was read already."""
    listed, gone = rows(count), set[str]()
    survey, taken = Survey(T0, []), 0
    while (step := survey.step) is not None:
        page = listed[(step.page - 1) * step.limit : step.page * step.limit]
        survey.take(Page(tuple(page), len(listed)))
        taken += 1
        for when, which in ends:
            if when == taken and which < len(listed):
                gone.add(listed.pop(which).conversation_id)
    assert {row.conversation_id for row in rows(count)} - gone <= set(survey.rows)
    assert taken <= 6 + 2 * len(ends)
    assert not survey.overflowed


def test_a_page_that_comes_after_the_end_is_not_read_any_further() -> None:
    survey = Survey(T0, [])
    read(survey, rows(3))
    survey.take(Page(tuple(rows(1, active=False)), 1))
    assert survey.step is None

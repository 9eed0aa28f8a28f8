"""What a list means: adoptions, strays, looks in vain, strangers, and who is asked after (S12, S13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model import Ended, EndReason, Listed, Page
from scheduler import marks
from scheduler.facts import (
    Attempted,
    Doubted,
    Fact,
    Found,
    Missed,
    MissReason,
    NothingThere,
    Stage,
    StrayFound,
    Unlisted,
)
from scheduler.lifecycle import apply
from scheduler.record import Record
from scheduler.runner import Survey
from tests.pure.lives import CREATED, LOG, LOST, T0, after, again, creating, live, lost, promise, strays, told

SECRET, OTHERS = b"s" * 32, b"o" * 32


def mine(record: Record) -> Record:
    return record._replace(mark=marks.mark(SECRET, record.key))


def row(
    conversation_id: str, record: Record, at: float = 1, *, active: bool = True, url: str = "u"
) -> Listed:
    """A row with the record's mark, of a conversation made so many seconds after T0."""
    name = marks.marked("Practice", record.mark, record.attempt)
    return Listed(conversation_id, name, url and f"https://{conversation_id}", active, T0 + at)


def read(since: float, looking: Sequence[Record], *rows: Listed) -> Survey:
    """A Survey begun so many seconds after T0, over a list of one page for each status."""
    survey = Survey(T0 + since, looking)
    while (step := survey.step) is not None:
        of_status = tuple(each for each in rows if each.active == (step.status == "active"))
        survey.take(Page(of_status, len(of_status)))
    return survey


def said(survey: Survey, *known: Record, live: Sequence[Record] = ()) -> list[tuple[str, Fact]]:
    """What it notes: the record's key and the fact."""
    notes = survey.notes(_by_mark(known), live, {}, T0 + 100)
    return [(note.key, note.fact) for note in notes]


def _by_mark(known: Sequence[Record]) -> Mapping[str, Record]:
    return {record.mark: record for record in known}


# --- who is waited for -----------------------------------------------------------------------------


@pytest.mark.parametrize("record", [mine(lost()), mine(again())])
def test_a_match_of_any_attempt_is_adopted_with_its_addresses(record: Record) -> None:
    survey = read(40, [], row("c1", record._replace(attempt=1)))
    (note,) = survey.notes(_by_mark([record]), [], {record.key: (LOG,)}, T0 + 41)
    assert note.fact == Found("c1", "https://c1", T0 + 1, True)
    assert (note.key, note.at, note.addresses) == (record.key, T0 + 41, (LOG,))


def test_of_several_the_oldest_active_is_kept_and_the_others_are_strays() -> None:
    record = mine(lost())
    rows = (row("new", record, 9), row("old", record, 3), row("over", record, 1, active=False))
    survey = read(40, [record], *rows)
    assert said(survey, record) == [
        (record.key, Found("old", "https://old", T0 + 3, True)),
        (record.key, StrayFound("new")),
    ]


def test_of_several_the_one_already_known_is_kept() -> None:
    record = mine(told())
    survey = read(400, [], row("c0", record, 0), row("c1", record))
    assert said(survey, record, live=[record]) == [(record.key, StrayFound("c0"))]


def test_an_ended_one_is_adopted_at_a_last_look_if_there_is_no_other() -> None:
    record = mine(lost())
    survey = read(40, [record], row("c1", record, active=False))
    assert said(survey, record) == [(record.key, Found("c1", "https://c1", T0 + 1, False))]


def test_while_the_answer_is_on_its_way_nothing_is_said() -> None:
    record = mine(creating())
    assert said(read(40, [], row("c1", record)), record) == []


def test_a_row_without_a_link_is_ended_and_looked_past() -> None:
    record = mine(lost())
    survey = read(8, [record], row("c1", record, url=""))
    assert said(survey, record) == [
        (record.key, StrayFound("c1")),
        (record.key, NothingThere(T0 + 8)),
    ]


# --- looks in vain ---------------------------------------------------------------------------------


def test_a_look_in_vain_counts_from_when_it_began() -> None:
    record = mine(lost())
    assert said(read(8, [record])) == [(record.key, NothingThere(T0 + 8))]
    early = read(6, [record])
    (note,) = early.notes({}, [], {}, T0 + 60)
    assert apply(record, note.fact, note.at) == record, "begun before it was due"


def test_a_known_stray_in_the_list_is_no_answer_to_a_look() -> None:
    """Its record's second answer was lost, too: were it taken for one, the look would stay due for ever."""
    record = after(lost(private=True), (8, Found("c1", "https://c1", T0 + 1, True)))
    record = mine(after(record, (9, Attempted(1)), (12, LOST)))
    assert strays(record) == {"c1": 8}
    survey = read(50, [record], row("c1", record))
    assert said(survey, record) == [(record.key, NothingThere(T0 + 50))]


@pytest.mark.parametrize("rows", [(), ("c2",), ("c1",), ("c1", "c2")])
def test_the_look_after_a_second_create_is_settled_whatever_it_sees(rows: tuple[str, ...]) -> None:
    record = mine(after(again(), (40, Attempted(1))))
    record = after(record, (41, replace(CREATED, conversation_id="c2")))._replace(mark=record.mark)
    survey = read(102, [record], *(row(each, record) for each in rows))
    for note in survey.notes(_by_mark([record]), [record], {}, T0 + 103):
        record = apply(record, note.fact, note.at)
    assert record.look_at is None
    assert strays(record) == ({"c1": 103} if "c1" in rows else {})


# --- what is over, and what is a stranger's --------------------------------------------------------


def test_a_conversation_of_a_promise_that_is_over_is_a_stray() -> None:
    record = mine(after(promise(), (1, Missed(MissReason.LATE))))
    assert said(read(40, [], row("c9", record)), record) == [(record.key, StrayFound("c9"))]
    assert said(read(40, [], row("c9", record, active=False)), record) == []


def test_an_ended_one_that_lingers_is_told() -> None:
    record = mine(after(told(), (50, Ended(EndReason.LEFT))))
    ((_, fact),) = said(read(200, [], row("c1", record)), record)
    assert strays(apply(record, fact, T0 + 200)) == {"c1": 200}


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_strangers_are_neither_ended_nor_adopted(name: str) -> None:
    record = mine(lost())
    foreign = marks.marked(name, marks.mark(OTHERS, record.key), 1)
    names = (name, foreign, f"{marks.marked(name, record.mark, 1)} copy", record.mark)
    rows = [Listed(f"s{n}", each, "https://s", True, T0 + 1) for n, each in enumerate(names)]
    survey = read(8, [record], *rows)
    assert said(survey, record) == [(record.key, NothingThere(T0 + 8))]
    assert record.mark not in survey.marks()


# --- who is asked after ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "rows", "asked"),
    [
        (400, (), True),
        (400, ("c1",), False),
        (400, ("c9",), True),
        (31, (), False),
        (32, (), True),
    ],
)
def test_absence_proves_nothing_but_makes_a_question_due(
    since: float, rows: tuple[str, ...], asked: bool
) -> None:
    record = mine(told())
    survey = read(since, [], *(row(each, record) for each in rows))
    doubts = [fact for _, fact in said(survey, record, live=[record]) if isinstance(fact, Doubted)]
    assert bool(doubts) is asked


def test_one_asked_after_lately_is_not_asked_after_again() -> None:
    record = mine(told()._replace(inspected_at=T0 + 380))
    assert said(read(400, []), live=[record]) == []
    assert said(read(411, []), live=[record]) == [(record.key, Doubted("survey"))]


def test_one_that_the_list_calls_ended_is_asked_after() -> None:
    record, other = mine(told()), mine(lost(key="other"))
    survey = read(400, [other], row("c1", record, active=False))
    assert (record.key, Doubted("survey")) in said(survey, record, live=[record])


# --- every look is settled -------------------------------------------------------------------------

HISTORIES = [lost(), again(), creating(), live(), told(), lost(private=True)]
HISTORIES.append(after(told(), (9, Ended(EndReason.LEFT))))


@given(
    st.sampled_from(HISTORIES),
    st.sets(st.sampled_from(["c1", "c2", "c3"])),
    st.sets(st.sampled_from(["c1", "c2", "c3"])),
    st.sampled_from([8, 16, 40, 400]),
)
@settings(max_examples=200)
def test_whatever_a_list_says_the_record_goes_on_and_nothing_of_ours_is_left(
    record: Record, active: set[str], over: set[str], since: float
) -> None:
    record = mine(record)
    due = record.look_at is not None and record.look_at <= T0 + since
    rows = [row(each, record, active=each in active) for each in sorted(active | over)]
    survey = read(since, [record] if due else [], *rows)
    before = record
    for note in survey.notes(_by_mark([record]), [], {}, T0 + since + 1):
        record = apply(record, note.fact, note.at, note.addresses)
    assert not due or record.look_at != before.look_at, "no look stays due"
    if before != mine(creating()):
        ours = {record.conversation_id, *strays(record)}
        assert active <= ours
    assert record.stage in Stage


def test_a_list_too_long_decides_no_more_than_it_shows() -> None:
    last, early, known = mine(lost()), mine(after(lost(key="e"), (40, LOST))), mine(told(key="k"))
    survey = Survey(T0 + 40, [last, early._replace(look_at=T0 + 39)])
    full = tuple(Listed(f"x{n}", "theirs", "", True, T0) for n in range(100))
    while survey.step is not None:
        survey.take(Page(full, 10**6))
    assert survey.overflowed
    assert said(survey, last, early, live=[known]) == [
        (last.key, Unlisted()),
        (early.key, NothingThere(T0 + 40)),
    ]

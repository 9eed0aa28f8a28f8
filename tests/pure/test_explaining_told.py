"""What the ledger tells of a key: where the time went, what the POSTs met, and what came of it.

Each record is what the lifecycle's table makes of the story that is told.
"""

from __future__ import annotations

from typing import Any

import pytest

from jobs.errors import Reason
from jobs.model import Address, Created, Delivered, Ended, EndReason
from scheduler.desk import Breadth, Pause, Scope
from scheduler.explaining import Explanation, Known, Part, explain
from scheduler.facts import (
    Ask,
    Asked,
    Attempted,
    Cancelled,
    CancelReason,
    Fact,
    Failed,
    GaveUp,
    GiveUpReason,
    Missed,
    MissReason,
    NothingThere,
    Skipped,
    SkipReason,
    StepKind,
)
from scheduler.model import Account
from tests.pure.lives import CREATED, LOG, LOST, MAIL, T0, after, promise, seen

FULL = Failed(StepKind.CREATE, Reason.FULL, "maximum concurrent conversations")
BUSY = Failed(StepKind.CREATE, Reason.BUSY, "429")
SLOW = Failed(StepKind.DELIVER, Reason.BUSY, "450 greylisted", MAIL)


def told(
    *story: tuple[float, Fact],
    to: tuple[Address, ...] = (LOG,),
    held: int | None = None,
    now: float = 3600,
    **more: Any,
) -> Explanation:
    """The chain of a promise due at 09:00:30 that opened at 09:00, after this story."""
    record = after(promise(due=T0 + 30, **more.pop("record", {})), *story, to=to)
    account = Account(concurrent_conversations=5, reserve=1)
    known = Known(now=T0 + now, account=account, **more)
    return explain(record.key, known, record, [(T0 + at, fact) for at, fact in story], held)


def link(found: Explanation, part: Part) -> tuple[str, str]:
    return next((str(each.verdict), each.words) for each in found.chain if each.link is part)


def test_in_time_and_delivered_every_link_holds() -> None:
    found = told((0, Attempted(1)), (0.4, CREATED), (2, Delivered(LOG)))
    assert [str(each.verdict) for each in found.chain] == ["holds"] * 8
    assert link(found, Part.CAPACITY)[1] == "it went at once when it opened at 09:00"
    assert link(found, Part.POST)[1] == "sent at 09:00, answered after 0.4 s"
    assert link(found, Part.DELIVERY)[1] == "log at 09:00:02, 1.6 s after the conversation was made"
    assert found.said == "created at 09:00, in time; live, until 09:30 at the latest"


@pytest.mark.parametrize(
    ("held", "cause"),
    [
        (4, " for a free conversation (4 in use, 4 allowed)"),
        (1, " for the request rate (60 in 60 s)"),
        (None, ""),
    ],
)
def test_waiting_in_line_is_told_with_what_for(held: int | None, cause: str) -> None:
    found = told((42, Attempted(1)), (43, Created("c1", "https://x.example", T0 + 43)), held=held)
    assert link(found, Part.CAPACITY) == ("delays", f"opened at 09:00, waited 42 s in line{cause}")
    assert "created at 09:00:43, 13 s late" in found.said


def test_tries_that_were_turned_away_are_told_one_by_one() -> None:
    found = told((0, Attempted(1)), (1, FULL), (4, Attempted(1)), (5, BUSY), (7, Attempted(1)), (13, CREATED))
    assert link(found, Part.CAPACITY) == (
        "delays",
        "opened at 09:00, went at once; then 3 s since the account was full",
    )
    verdict, words = link(found, Part.POST)
    assert verdict == "delays"
    assert words == (
        "sent at 09:00: full after 1 s (maximum concurrent conversations); "
        "sent at 09:00:04: busy after 1 s (429); sent at 09:00:07, answered after 6 s"
    )


def test_a_lost_answer_that_was_found_says_so() -> None:
    found = told((0, Attempted(1)), (5, LOST), (7, NothingThere(T0 + 7)), (15, seen(at=1)))
    assert link(found, Part.POST)[0] == "delays"
    assert "the answer was lost after 5 s (no answer); looked for 2 times" in link(found, Part.POST)[1]
    assert link(found, Part.POST)[1].endswith("its room was found")


def test_a_refused_request_stops_at_the_post() -> None:
    refused = Failed(StepKind.CREATE, Reason.REFUSED, "400 replica_id")
    found = told((0, Attempted(1)), (1, refused))
    assert link(found, Part.POST) == ("stops", "sent at 09:00: refused after 1 s (400 replica_id)")
    assert found.said == "failed (refused): no conversation was made"


def test_on_the_wire_nothing_is_known_yet() -> None:
    found = told((0, Attempted(1)), now=2)
    assert link(found, Part.POST) == ("open", "sent at 09:00, no answer yet")
    assert found.said == "being created"


def test_the_link_through_two_channels() -> None:
    story = [(0, Attempted(1)), (1, CREATED), (1, Delivered(LOG)), (2, SLOW), (7, SLOW)]
    found = told(*story, to=(LOG, MAIL), now=8)
    assert link(found, Part.DELIVERY) == (
        "delays",
        "log at 09:00:01; mail ana@example.com: open, 2 tries failed (450 greylisted), next at 09:00:22",
    )
    found = told(*story, (30, GaveUp(MAIL, GiveUpReason.STALE)), to=(LOG, MAIL))
    assert link(found, Part.DELIVERY)[0] == "delays"
    assert (
        "mail ana@example.com: given up at 09:00:30, the next try would have" in link(found, Part.DELIVERY)[1]
    )


def test_nobody_was_told() -> None:
    story = ((0, Attempted(1)), (1, CREATED), (2, SLOW), (30, GaveUp(MAIL, GiveUpReason.REFUSED)))
    found = told(*story, (31, Ended(EndReason.BY_US, T0 + 31)), to=(MAIL,))
    assert link(found, Part.DELIVERY)[0] == "stops"
    assert found.said == "created at 09:00:01, in time; ended (undelivered) after 30 s"


def test_how_it_ended() -> None:
    found = told((0, Attempted(1)), (1, CREATED), (1, Delivered(LOG)), (700, Ended(EndReason.LEFT, T0 + 641)))
    assert found.said == "created at 09:00:01, in time; ended (left) after 10 min 40 s"


@pytest.mark.parametrize(
    ("fact", "part", "words"),
    [
        (Missed(MissReason.LATE), Part.CAPACITY, "nobody was there to create it in time"),
        (Missed(MissReason.NO_CAPACITY), Part.CAPACITY, "it waited in line, and nothing became free"),
        (Missed(MissReason.DENIED), Part.CAPACITY, "creation was held: the key was refused"),
        (Missed(MissReason.BUSY), Part.POST, "sent at 09:00: busy after 1 s (429)"),
        (Skipped(SkipReason.OVERLAP), Part.CAPACITY, "another conversation of ana still ran"),
        (Skipped(SkipReason.PAUSED), Part.PAUSE, "it was paused when it would have opened"),
        (Skipped(SkipReason.DISABLED), Part.SCHEDULE, "practice was disabled"),
        (Skipped(SkipReason.EXCLUDED), Part.CALENDAR, "excluded by `except`"),
        (Skipped(SkipReason.DATE_ABSENT), Part.CALENDAR, "does not exist on this date"),
        (Cancelled(CancelReason.REMOVED), Part.SCHEDULE, "taken out by an edit at 09:00:09"),
    ],
)
def test_each_reason_stands_at_its_link(fact: Fact, part: Part, words: str) -> None:
    tried = ((0, Attempted(1)), (1, BUSY)) if part is Part.POST else ()
    found = told(*tried, (9, fact))
    assert (found.chain[-2].link, str(found.chain[-2].verdict)) == (part, "stops")
    assert words in found.chain[-2].words
    assert str(getattr(fact, "reason", "")) in found.said


def test_a_person_who_took_it_back_is_named() -> None:
    found = told((1, Asked(Ask.SKIP, "kim", "on leave")))
    assert link(found, Part.PAUSE) == ("stops", "taken back by kim (on leave)")


def test_what_is_made_up_is_named() -> None:
    asked = Asked(Ask.MAKE_UP, "kim", None, other="practice/09:00/2026-11-20/ana")
    key = "practice/make-up:09:00:2026-11-20/2026-11-22/ana"
    record = after(promise(key=key, slot="make-up:09:00:2026-11-20"))
    found = explain(key, Known(now=T0), record, [(T0 - 60, asked)])
    assert link(found, Part.CALENDAR)[1] == "it makes up for practice/09:00/2026-11-20/ana, as kim asked"


def test_in_line_now_with_a_hold() -> None:
    found = told(now=60, holds=[("spent", T0)])
    assert link(found, Part.CAPACITY) == ("delays", "creation is held: spent since 09:00")
    assert link(told(now=60), Part.CAPACITY) == ("delays", "in line since 09:00, 1 min so far")


def test_a_pause_now_stops_what_waits_and_not_what_was_kept() -> None:
    pause = Pause(Scope(Breadth.ALL), T0 + 50, None, "kim", None)
    assert link(told(now=60, pauses=[pause]), Part.PAUSE)[0] == "stops"
    assert told(now=60, pauses=[pause]).said.endswith("it will not be created")
    kept = told((0, Attempted(1)), (1, CREATED), now=60, pauses=[pause])
    assert link(kept, Part.PAUSE) == ("holds", "not paused")

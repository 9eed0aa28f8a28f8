"""Facts as lines: one for each kind that matters, always with the same fields, never with a link."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator

import pytest
import structlog

from jobs.errors import Blame, Reason
from jobs.model import (
    Address,
    Created,
    Delivered,
    Ended,
    EndReason,
    NotEnded,
    NotThere,
    StillLive,
)
from scheduler import lifecycle
from scheduler.facts import (
    KINDS,
    NAMES,
    Ask,
    Asked,
    Attempted,
    Cancelled,
    CancelReason,
    Doubted,
    Fact,
    Failed,
    Faulted,
    Found,
    GaveUp,
    GiveUpReason,
    Missed,
    MissReason,
    NothingThere,
    Skipped,
    SkipReason,
    Stage,
    StepKind,
    StrayEnded,
    StrayFound,
    StrayKept,
    Unlisted,
)
from scheduler.record import Record
from scheduler.settings import LogStyle
from scheduler.telemetry import Telemetry, configure

DUE = 1_772_632_800.0
LOG = Address("log")
LINK = "https://tavus.example/secret-room"
Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture(autouse=True)
def unconfigured() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    """What was told since the last time, by a process that logs JSON."""
    configure(LogStyle.JSON, stream, (), color=False)

    def told() -> list[dict[str, object]]:
        found = [json.loads(line) for line in stream.getvalue().splitlines()]
        stream.seek(0)
        stream.truncate()
        return found

    return told


def planned() -> Record:
    return Record(
        key="coach/09:00/2026-03-04/ana",
        schedule="coach",
        slot="09:00",
        date="2026-03-04",
        participant="ana",
        due=DUE,
        opens=DUE - 30,
        shuts=DUE + 600,
        max_call_s=1800,
        absent_s=300,
        starts_at=DUE - 30,
    )


def after(record: Record, *facts: Fact) -> Record:
    for fact in facts:
        record = lifecycle.apply(record, fact, DUE, (LOG,))
    return record


CLAIMED = after(planned(), Attempted(1))
LOST = after(CLAIMED, Failed(StepKind.CREATE, Reason.LOST, "reset"))
LIVE = after(CLAIMED, Created("c1", LINK, DUE))
STRAY = after(LIVE, StrayFound("c9"))

# each kind of fact: the record before it, how grave its line is, and what it says besides who and took
TOLD: dict[str, tuple[Record, Fact, str, dict[str, object]]] = {
    "attempted": (planned(), Attempted(1), "info", {"stage": "creating"}),
    "created": (
        CLAIMED,
        Created("c1", LINK, DUE + 5),
        "info",
        {"stage": "live", "conversation_id": "c1", "lateness_s": 0.0},
    ),
    "found": (
        LOST,
        Found("c1", LINK, DUE, True),
        "info",
        {"stage": "live", "conversation_id": "c1", "lateness_s": 0.0},
    ),
    "asked": (
        planned(),
        Asked(Ask.SKIP, "ops", "on leave"),
        "info",
        {"stage": "cancelled", "reason": "by_person", "ask": "skip", "by": "ops", "why": "on leave"},
    ),
    "unlisted": (LOST, Unlisted(), "warning", {"stage": "failed", "reason": "unknown_outcome"}),
    "failed": (
        LIVE,
        Failed(StepKind.DELIVER, Reason.BUSY, "closed pipe", LOG),
        "warning",
        {"step": "deliver", "reason": "busy", "detail": "closed pipe", "channel": "log"},
    ),
    "delivered": (LIVE, Delivered(LOG), "info", {"channel": "log"}),
    "gave_up": (LIVE, GaveUp(LOG, GiveUpReason.STALE), "info", {"reason": "stale", "channel": "log"}),
    "still_live": (LIVE, StillLive(), "info", {}),
    "ended": (
        after(LIVE, Delivered(LOG)),
        Ended(EndReason.LEFT),
        "info",
        {"stage": "ended", "reason": "left", "lasted_s": 0},
    ),
    "not_there": (LIVE, NotThere(), "info", {}),
    "not_ended": (LIVE, NotEnded(), "info", {}),
    "skipped": (planned(), Skipped(SkipReason.OVERLAP), "info", {"stage": "skipped", "reason": "overlap"}),
    "missed": (planned(), Missed(MissReason.BUSY), "warning", {"stage": "missed", "reason": "busy"}),
    "cancelled": (
        planned(),
        Cancelled(CancelReason.REMOVED),
        "info",
        {"stage": "cancelled", "reason": "removed"},
    ),
    "stray_found": (LIVE, StrayFound("c9"), "warning", {"conversation_id": "c9"}),
    "stray_ended": (STRAY, StrayEnded("c9"), "info", {"conversation_id": "c9"}),
    "stray_kept": (STRAY, StrayKept("c9", "400"), "warning", {"conversation_id": "c9", "detail": "400"}),
    "faulted": (LIVE, Faulted("KeyError in x:1"), "warning", {"detail": "KeyError in x:1"}),
}
QUIET = {"nothing_there": NothingThere(DUE), "doubted": Doubted("coach/x/2026-03-04/ana")}


def test_a_conversation_that_nobody_was_told_of_is_one_alert_without_its_link(lines: Lines) -> None:
    mail = Address("mail", "ana@office.example")
    to = (mail, Address("webhook", "https://hooks.example/T0/secret"))
    live = lifecycle.apply(CLAIMED, Created("c1", LINK, DUE), DUE, to)
    for address in to:
        failed = Failed(StepKind.DELIVER, Reason.REFUSED, "550 5.1.1", address, blame=Blame.ADDRESS)
        live = lifecycle.apply(live, failed, DUE)
    tell(live, Ended(EndReason.BY_US))
    (line,) = lines()
    assert (line["event"], line["reason"], line["level"]) == ("ended", "undelivered", "warning")
    assert "mail office.example refused, webhook hooks.example refused" in line["detail"]
    assert f"callboard explain {live.key}" in line["detail"]
    assert not any(secret in str(line) for secret in (LINK, "/T0/", "ana@office"))


@pytest.mark.parametrize(
    ("blame", "reason", "levels"),
    [
        (Blame.ADDRESS, Reason.REFUSED, ["warning", "info", "info", "warning"]),
        (Blame.SETUP, Reason.BUSY, ["info"] * 4),
        (Blame.SETUP, Reason.REFUSED, ["warning", "info", "info", "warning"]),
        (None, Reason.BUSY, ["warning"] * 4),
    ],
)
def test_what_everybody_knows_is_no_alert_again(
    lines: Lines, blame: Blame | None, reason: Reason, levels: list[str]
) -> None:
    telemetry, failed = Telemetry(), Failed(StepKind.DELIVER, reason, "535", LOG, blame=blame)
    for at in (DUE, DUE + 60, DUE + 86_000, DUE + 86_500):
        telemetry.fact(failed, LIVE, LIVE, None, at)
    assert [line["level"] for line in lines()] == levels


def test_a_set_up_that_is_refused_is_told_once_for_all_its_messages(lines: Lines) -> None:
    telemetry = Telemetry()
    ana, ben = Address("mail", "ana@example.com"), Address("mail", "ben@example.com")
    hook = Address("webhook", "https://hooks.example/x")
    for address, detail in ((ana, "550 5.7.1"), (ben, "550 5.7.1"), (ben, "552 5.3.4"), (hook, "404")):
        failed = Failed(StepKind.DELIVER, Reason.REFUSED, detail, address, blame=Blame.SETUP)
        telemetry.fact(failed, LIVE, LIVE, None, DUE)
    assert [line["level"] for line in lines()] == ["warning", "info", "warning", "warning"]


def tell(before: Record, fact: Fact, took_s: float | None = 0.12345, at: float = DUE) -> None:
    Telemetry().fact(fact, before, lifecycle.apply(before, fact, at, (LOG,)), took_s, at)


@pytest.mark.parametrize("kind", TOLD)
def test_each_kind_is_one_line_of_the_same_fields(lines: Lines, kind: str) -> None:
    before, fact, level, says = TOLD[kind]
    assert NAMES[type(fact)] == kind
    tell(before, fact)
    (line,) = lines()
    assert line.pop("timestamp")
    who = {"key": before.key, "schedule": "coach", "participant": "ana", "attempt": 1}
    assert line == {"event": kind, "level": level, **who, **says, "took": 0.123}


def test_no_kind_is_forgotten() -> None:
    assert TOLD.keys() | QUIET.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", QUIET)
def test_what_is_no_outcome_makes_no_line(lines: Lines, kind: str) -> None:
    tell(LIVE, QUIET[kind])
    assert lines() == []


def test_a_look_that_ends_a_promise_makes_its_line(lines: Lines) -> None:
    shut = LOST._replace(shuts=DUE)
    last = shut._replace(looks=2, look_at=DUE + 30)
    tell(last, NothingThere(DUE + 30), at=DUE + 31)
    (line,) = lines()
    assert (line["stage"], line["reason"], line["level"]) == ("missed", "late", "warning")


def test_what_is_failed_already_is_no_new_warning(lines: Lines) -> None:
    failed = STRAY._replace(stage=Stage.FAILED, reason="fault")
    tell(failed, StrayEnded("c9"))
    (line,) = lines()
    assert line["level"] == "info"
    assert "stage" not in line


@pytest.mark.parametrize(
    ("delivered", "reason", "lasted_s", "level"),
    [
        (True, EndReason.MAX_CALL_DURATION, 1800, "info"),
        (True, EndReason.MAX_CALL_DURATION, 600, "warning"),
        (True, EndReason.LEFT, 600, "info"),
        (False, EndReason.ABSENT, 300, "warning"),
    ],
)
def test_a_call_that_was_cut_short_or_never_told_is_a_warning(
    lines: Lines, delivered: bool, reason: EndReason, lasted_s: int, level: str
) -> None:
    before = after(LIVE, Delivered(LOG)) if delivered else LIVE
    tell(before, Ended(reason, DUE + lasted_s), at=DUE + lasted_s)
    (line,) = lines()
    assert (line["level"], line["lasted_s"]) == (level, lasted_s)
    assert line["reason"] == (str(reason) if delivered else "undelivered")
    assert ("asked for 1800 s" in str(line.get("detail"))) == (delivered and level == "warning")


def test_without_a_step_nothing_took_time(lines: Lines) -> None:
    tell(planned(), Missed(MissReason.LATE), took_s=None)
    (line,) = lines()
    assert "took" not in line


@pytest.mark.parametrize("style", LogStyle)
@pytest.mark.parametrize("kind", TOLD)
def test_no_fact_ever_shows_a_link(stream: io.StringIO, style: LogStyle, kind: str) -> None:
    configure(style, stream, (), color=False)
    before, fact, _, _ = TOLD[kind]
    tell(before, fact)
    by_its_own_line = style is LogStyle.CONSOLE and kind == "delivered"  # the log channel's, with the link
    assert (kind in stream.getvalue()) is not by_its_own_line
    assert "secret-room" not in stream.getvalue()
    assert "http" not in stream.getvalue()

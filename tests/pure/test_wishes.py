"""Wishes over the wire: each comes out as it went in, and nothing that isn't known is let through."""

from __future__ import annotations

import json
from datetime import date, time

import pytest

from scheduler.desk import Answer, Asker, Breadth, Effect, Missed, Pause, Scope, Status, reason
from scheduler.desk.wishes import (
    ANSWER,
    STATUS,
    WISHES,
    ToEnd,
    ToMakeUp,
    ToPause,
    ToReload,
    ToResend,
    ToResume,
    ToResumeAccount,
    ToRetry,
    ToSkip,
    Wish,
    read,
    verb_of,
    written,
)
from scheduler.vitals import Outbox, Standing, Worker, WorkerState

OPS = Asker("ops", "a holiday")
ANA = Scope(Breadth.PARTICIPANT, "ana")
WORKER = Worker("vm:7", "1.0", WorkerState.LEADS, 1.0, 2.0, 3)
ON = date(2026, 12, 1)
EACH = [
    ToPause(scope=ANA, until=1.5, asker=OPS),
    ToPause(scope=Scope(), until=None, asker=Asker("ops")),
    ToResume(scope=ANA, asker=OPS),
    ToSkip(key="a/b/c/d", asker=OPS),
    ToMakeUp(of="a/b/c/d", on=ON, at=time(9, 30), dry_run=True, asker=OPS),
    ToMakeUp(of=Missed(), on=ON, at=None, dry_run=False, asker=OPS),
    ToMakeUp(of=Missed(ON), on=ON, at=None, dry_run=False, asker=OPS),
    ToEnd(key="a/b/c/d", asker=OPS),
    ToResend(key="a/b/c/d", channel="mail", asker=OPS),
    ToRetry(key="a/b/c/d", asker=OPS),
    ToResumeAccount(asker=OPS),
    ToReload(asker=OPS),
]


@pytest.mark.parametrize("wish", EACH, ids=verb_of)
def test_a_wish_comes_out_as_it_went_in(wish: Wish) -> None:
    assert read(verb_of(wish), written(wish)) == wish


def test_every_verb_is_tried() -> None:
    assert {verb_of(wish) for wish in EACH} == set(WISHES)


@pytest.mark.parametrize("wish", EACH, ids=verb_of)
def test_what_is_not_known_is_not_passed_over(wish: Wish) -> None:
    more = json.loads(written(wish)) | {"dry_runn": True}
    with pytest.raises(ValueError, match="dry_runn"):
        read(verb_of(wish), json.dumps(more).encode())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"\xff", b'{"key": 7, "asker": ["ops", null]}', b"[" * 9999]
)
def test_what_is_no_wish_is_told(body: bytes) -> None:
    with pytest.raises(ValueError):
        read("skip", body)


def test_answers_and_the_status_too() -> None:
    answer = Answer(Effect.WOULD, ("would",), ("a/b/c/d",), {"added": 3})
    assert ANSWER.validate_json(ANSWER.dump_json(answer)) == answer
    standing = Standing(1, 2, 3, 4, 5, 6.5, {"spent": 1.0}, {"mail": Outbox(1, 2.0)}, (WORKER,), 7, 8.5)
    status = Status(
        unready=("draining",),
        version=4,
        standing=standing,
        pauses=(Pause(ANA, 1.0, None, "ops", None),),
        last_missed=None,
    )
    assert STATUS.validate_json(STATUS.dump_json(status)) == status


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, None),
        (" \n", None),
        ("a  holiday\nfor all", "a holiday for all"),
        ("\x1b]0;x\x07\x1b[31mred \u202e", "]0;x [31mred"),
        ("x" * 5_000, "x" * 500),
    ],
)
def test_a_reason_is_one_line_that_no_terminal_obeys(text: str | None, why: str | None) -> None:
    assert reason(text) == why

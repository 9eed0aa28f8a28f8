"""The client and the sandbox read one description apart from each other: here they must agree."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from jobs.errors import Reason
from jobs.model import (
    ConversationRequest,
    Ended,
    EndReason,
    NotEnded,
    NotThere,
    Properties,
    StillLive,
    Survey,
)
from jobs.tavus.client import TavusClient, connect
from jobs.tavus.sandbox import Dialect, Fault, Kind, Plan, ReasonAt, Sandbox, Wrong
from jobs.tavus.wire import Persona, Replica

from .conftest import KEY, Tally, failure

START = 1_795_338_000.0
COACH, NATHAN = "pdced222244b", "rfe12d8b9597"
REQUEST = ConversationRequest(persona_id=COACH, replica_id=NATHAN, conversation_name="Practice")


@dataclass
class House:
    """A sandbox that serves, a client of it, and the time between them."""

    sandbox: Sandbox
    client: TavusClient


class HandMoved:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def house(clock: HandMoved, ids: str = "persona", **settings: object) -> AsyncIterator[House]:
    sandbox = Sandbox(clock, key=KEY, **settings)  # type: ignore[arg-type]
    async with sandbox.serving() as base_url, connect(base_url, KEY, ids, total_s=2.0) as client:
        yield House(sandbox, client)


@pytest.mark.parametrize("ids", ["persona", "pal"])
@pytest.mark.parametrize("where", list(ReasonAt))
async def test_a_whole_life_in_every_dialect(ids: str, where: ReasonAt) -> None:
    clock, sent = HandMoved(), Tally()
    dialect = Dialect(reason_at=where, reason_suffix=" reached", wrapped=ids == "pal", fractions=ids == "pal")
    async with house(clock, ids, dialect=dialect) as it:
        made = await it.client.create(REQUEST, sent)
        assert (made.created_at, made.ended) == (START, False)
        assert list(it.sandbox.rooms) == [made.conversation_id]

        (row,) = (await it.client.survey(Survey("active"), sent)).rows
        assert (row.conversation_id, row.name, row.active) == (made.conversation_id, "Practice", True)
        assert (row.url, row.created_at) == (made.url, START)

        assert await it.client.inspect(made.conversation_id, sent) == StillLive()
        clock.now += 301
        gone = await it.client.inspect(made.conversation_id, sent)
        assert gone == Ended(EndReason.ABSENT, START + 300)
        assert await it.client.end(made.conversation_id, sent) == NotEnded()
        assert not (await it.client.survey(Survey("active"), sent)).rows
        assert not (await it.client.survey(Survey("ended"), sent)).rows[0].active

        assert await it.client.persona(COACH, sent) == Persona(COACH, "Sales Coach", NATHAN)
        assert await it.client.replica(NATHAN, sent) == Replica(NATHAN, "Nathan", "completed")
        assert sent.rings == len(it.sandbox.requests)


async def test_what_we_end_was_ended_by_us() -> None:
    sent = Tally()
    async with house(HandMoved()) as it:
        made = await it.client.create(REQUEST, sent)
        assert await it.client.end(made.conversation_id, sent) == Ended(EndReason.BY_US)
        assert await it.client.inspect(made.conversation_id, sent) == Ended(EndReason.BY_US, START)


async def test_test_mode_and_private_rooms() -> None:
    async with house(HandMoved()) as it:
        tried = await it.client.create(ConversationRequest(persona_id=COACH, test_mode=True), Tally())
        private = await it.client.create(ConversationRequest(persona_id=COACH, require_auth=True), Tally())
    assert tried.ended
    assert not private.ended
    assert "?t=" in private.url


async def test_every_field_is_known_there() -> None:
    full = ConversationRequest(
        persona_id=COACH,
        replica_id=NATHAN,
        conversation_name="Practice",
        callback_url="http://127.0.0.1:9/hook",
        conversational_context="Hello",
        custom_greeting="Hi",
        enable_dynamic_greeting=True,
        audio_only=False,
        memory_stores=("ana",),
        participant_tags=("east",),
        document_ids=("d1",),
        document_tags=("t1",),
        document_retrieval_strategy="speed",
        max_participants=2,
        policy="eu",
        properties=Properties(
            enable_recording=True,
            enable_closed_captions=False,
            apply_greenscreen=True,
            language="english",
            recording_storage={
                "provider": "s3",
                "bucket_name": "b",
                "bucket_region": "r",
                "assume_role_arn": "arn:aws:iam::1:role/x",
            },
        ),
    )
    async with house(HandMoved()) as it:
        made = await it.client.create(full, Tally())
        assert it.sandbox.rooms[made.conversation_id].body["document_tags"] == ["t1"]


async def test_what_is_not_there() -> None:
    async with house(HandMoved()) as it:
        assert await it.client.inspect("nowhere", Tally()) == NotThere()
        assert await it.client.persona("nobody", Tally()) == NotThere()
        assert await it.client.replica("nobody", Tally()) == NotThere()


async def test_full() -> None:
    async with house(HandMoved(), plan=Plan(concurrent=1)) as it:
        await it.client.create(REQUEST, Tally())
        assert (await failure(it.client.create(REQUEST, Tally()))).reason is Reason.FULL


async def test_a_wrong_key() -> None:
    async with (
        Sandbox(HandMoved(), key="another key").serving() as base_url,
        connect(base_url, KEY) as client,
    ):
        assert (await failure(client.create(REQUEST, Tally()))).reason is Reason.DENIED


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(kind=Kind.STATUS, status=402), Reason.SPENT),
        (Fault(kind=Kind.STATUS, status=429, retry_after="3"), Reason.BUSY),
        (Fault(kind=Kind.STATUS, status=503), Reason.LOST),
        (Fault(kind=Kind.REDIRECT, location="http://127.0.0.1:9/"), Reason.REFUSED),
        *((Fault(kind=kind), Reason.LOST) for kind in (Kind.DROP, Kind.TRUNCATED, Kind.HTML)),
        *((Fault(kind=kind), Reason.LOST) for kind in (Kind.HUGE, Kind.GZIP_BOMB)),
        *((Fault(kind=Kind.WRONG_JSON, wrong=wrong), Reason.LOST) for wrong in Wrong),
    ],
    ids=str,
)
async def test_faults_on_demand(fault: Fault, reason: Reason) -> None:
    async with house(HandMoved()) as it:
        it.sandbox.faults.add(fault)
        sent = Tally()
        assert (await failure(it.client.create(REQUEST, sent))).reason is reason
        assert (sent.rings, len(it.sandbox.requests)) == (1, 1)

"""The seam of channels, and the door in front of them; each new channel joins the first tests here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import pytest
import structlog

from jobs.channels import Channel
from jobs.channels.log import LogChannel
from jobs.errors import Reason, StepFailed
from jobs.model import (
    Address,
    ConversationRequest,
    Create,
    Created,
    Deliver,
    Delivered,
    End,
    Ended,
    EndReason,
    Inspect,
    Page,
    Participant,
    StillLive,
    Survey,
)
from jobs.perform import Hands
from jobs.tavus.client import connect

from .conftest import RawServer, answer

URL = "https://tavus.daily.co/c1?t=token"
STEP = Deliver(
    "team/09:00/2026-11-22/ana", Participant("ana", "Ana Ruiz"), Address("log"), URL, not_after=0.0
)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[TextIO]:
    with (tmp_path / "log").open("w+") as file:
        write_to(file)
        yield file
    structlog.reset_defaults()


def write_to(file: TextIO) -> None:
    renderers = [structlog.processors.add_log_level, structlog.processors.JSONRenderer()]
    structlog.configure(processors=renderers, logger_factory=structlog.WriteLoggerFactory(file))


def lines(file: TextIO) -> list[dict[str, object]]:
    file.seek(0)
    return [json.loads(line) for line in file]


async def reason_of(channel: Channel) -> Reason:
    with pytest.raises(StepFailed) as caught:
        await channel.deliver(STEP)
    assert "token" not in caught.value.detail
    return caught.value.reason


# --- the log ---------------------------------------------------------------------------------------------


async def test_the_line_is_the_delivery(log: TextIO) -> None:
    assert await LogChannel().deliver(STEP) == Delivered(Address("log"))
    assert lines(log) == [
        {"event": "link", "level": "info", "key": STEP.key, "participant": "ana", "url": URL}
    ]


async def test_a_slot_without_a_participant(log: TextIO) -> None:
    await LogChannel().deliver(Deliver("team/09:00/2026-11-22/-", None, Address("log"), URL, 0.0))
    assert [line["participant"] for line in lines(log)] == [None]


async def test_a_log_that_was_closed_delivers_nothing(log: TextIO) -> None:
    channel = LogChannel()
    log.close()
    assert await reason_of(channel) is Reason.BUSY


@pytest.fixture
def full_disk(log: TextIO) -> Iterator[None]:
    with suppress(OSError), Path("/dev/full").open("w", buffering=1) as full:
        write_to(full)
        yield


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a full disk at hand")
@pytest.mark.usefixtures("full_disk")
async def test_a_full_disk_delivers_nothing() -> None:
    assert await reason_of(LogChannel()) is Reason.BUSY


# --- the door --------------------------------------------------------------------------------------------


async def test_each_step_goes_to_its_own_hand(raw: RawServer, log: TextIO) -> None:
    room = {
        "conversation_id": "c1",
        "conversation_url": "https://tavus.daily.co/c1",
        "status": "active",
        "created_at": "1970-01-01T00:00:09Z",
    }
    raw.scripts = [answer(200, room), answer(200, room), answer(200, b""), answer(200, {"data": []})]
    rings: list[None] = []

    async with connect(raw.base_url, "key") as tavus:
        hands = Hands(tavus, {"log": LogChannel()})
        steps = (Create("k", ConversationRequest()), Inspect("c1"), End("c1"), Survey("ended", 2, 50), STEP)
        outcomes = [await hands.perform(step, lambda: rings.append(None)) for step in steps]
    assert outcomes == [
        Created("c1", "https://tavus.daily.co/c1", 9.0),
        StillLive(),
        Ended(EndReason.BY_US),
        Page((), None),
        Delivered(Address("log")),
    ]
    assert [" ".join(head.split()[:2]) for head in raw.heads] == [
        "POST /v2/conversations",
        "GET /v2/conversations/c1?verbose=true",
        "POST /v2/conversations/c1/end",
        "GET /v2/conversations?status=ended&page=2&limit=50",
    ]
    assert len(rings) == 4


async def test_a_delivery_that_no_channel_takes(raw: RawServer) -> None:
    async with connect(raw.base_url, "key") as tavus:
        with pytest.raises(StepFailed) as caught:
            await Hands(tavus, {}).perform(STEP, lambda: None)
    assert caught.value.reason is Reason.REFUSED

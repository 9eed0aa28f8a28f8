"""What the tests of webhooks share: a message as it was frozen, a secret, and channels to a raw server."""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from jobs.channels import Channel
from jobs.channels.posting import Poster, open_poster
from jobs.channels.slack import SlackChannel
from jobs.channels.webhook import WebhookChannel
from jobs.errors import StepFailed
from jobs.model import Address, Deliver, Delivered, Participant

NOW = 1_764_590_400.75
EVENT = "cb-ABCDEFGHIJKLMNOP-1_0123456789abcdef"
LINK = "https://tavus.daily.co/c1?t=canary-link"
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
AT_ONCE = 4
PATH = "/hooks/canary-path?token=canary-query"
MESSAGE = json.dumps({"id": EVENT, "type": "link.ready", "link": LINK}).encode()
HIDDEN = ("canary", SECRET, EVENT, LINK)
"""What no error may show, nor any traceback of it."""

Deliveries = Callable[[Deliver], Awaitable[Delivered]]


def step(channel: str, url: str, message: bytes | None = MESSAGE) -> Deliver:
    person = Participant("ana", "Ana Ruiz")
    return Deliver("team/09:00/2026-11-22/ana", person, Address(channel, url), LINK, NOW + 90, message)


def channels(poster: Poster, secret: str | None = SECRET) -> dict[str, Channel]:
    return {
        "webhook": WebhookChannel(poster, lambda _: secret, lambda: NOW),
        "slack": SlackChannel(poster),
    }


@asynccontextmanager
async def opened(
    secret: str | None = SECRET, *, connect_s: float = 5.0, total_s: float = 5.0, answer_s: float = 5.0
) -> AsyncIterator[Deliveries]:
    """Delivers through the channel that the step names; time-outs are short, since the world is small."""
    boxes = {"connect_s": connect_s, "total_s": total_s, "answer_s": answer_s}
    async with open_poster(**boxes, at_once=AT_ONCE) as poster:
        known = channels(poster, secret)
        yield lambda asked: known[asked.address.channel].deliver(asked)


async def failure(delivery: Awaitable[object]) -> StepFailed:
    """The delivery's failure, which names the host, shows no secret and drags no other exception along."""
    with pytest.raises(StepFailed) as caught:
        await delivery
    failed = caught.value
    assert failed.__context__ is None or failed.__suppress_context__
    assert failed.__cause__ is None
    shown = repr(failed) + str(failed) + failed.detail + "".join(traceback.format_exception(failed))
    assert [secret for secret in HIDDEN if secret in shown] == []
    return failed

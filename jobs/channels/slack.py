"""Slack as a channel: the link as a message, posted to an incoming webhook.

Slack says `ok` and nothing else when it has taken a message, and one word such as `no_service` when it
has not. What the message looks like was decided before; nothing is signed, since the URL is the secret.
"""

from __future__ import annotations

import re

from jobs.channels.posting import Poster, refused, turned_down
from jobs.errors import Reason, StepFailed
from jobs.model import Deliver, Delivered
from jobs.tavus.wire.answer import is_success

_WORD = re.compile(rb"[a-z_]{2,40}")


class SlackChannel:
    """Delivers by a POST that Slack answers with `ok`."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def deliver(self, step: Deliver) -> Delivered:
        """Post it. Raises StepFailed; REFUSED also for a success of somebody who isn't Slack."""
        answer = await self._poster.post(step, dict)
        said = (answer.body or b"").strip()
        if not is_success(answer):
            word = _WORD.fullmatch(said)
            raise turned_down(step.address, answer, word[0].decode() if word else "")
        if answer.body is None:
            raise StepFailed(Reason.LOST, f"{step.address.place}: its answer broke off")
        if said != b"ok":
            raise refused(step.address, f"answered {answer.status} without ok: it is no incoming webhook")
        return Delivered(step.address)

"""A service of the owner's as a channel: the link as signed JSON, posted to a URL.

A 2xx delivers. What is posted was composed and frozen before; its event id is the same over retries,
so a receiver that was told twice can know. Secrets are looked up for each try and never kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from jobs.channels.posting import Poster, refused, turned_down
from jobs.channels.signing import is_event_id, signed, signing_key
from jobs.errors import Reason, StepFailed
from jobs.model import Deliver, Delivered, Instant
from jobs.tavus.wire.answer import is_success

SecretOf = Callable[[str], str | None]
"""The secret that signs what is posted to a URL, `None` when there is none."""


class WebhookChannel:
    """Delivers by a signed POST. `now` is asked when a try begins: receivers refuse old timestamps."""

    def __init__(self, poster: Poster, secret_of: SecretOf, now: Callable[[], Instant]) -> None:
        self._poster = poster
        self._secret_of = secret_of
        self._now = now

    async def deliver(self, step: Deliver) -> Delivered:
        """Post it. Raises StepFailed: REFUSED also when it can't be signed."""
        sign = partial(self._sign, _event_id(step), step.message or b"", self._key(step))
        answer = await self._poster.post(step, sign)
        if not is_success(answer):
            raise turned_down(step.address, answer)
        return Delivered(step.address)

    def _sign(self, event_id: str, body: bytes, key: bytes) -> dict[str, str]:
        return signed(event_id, self._now(), body, key)

    def _key(self, step: Deliver) -> bytes:
        secret = self._secret_of(step.address.target)
        if secret is None:
            raise refused(step.address, "it has no secret to sign with")
        try:
            return signing_key(secret)
        except ValueError as error:
            why = str(error)
        raise refused(step.address, why)


def _event_id(step: Deliver) -> str:
    """The message's own `id`."""
    try:
        body = json.loads(step.message or b"")
    except (ValueError, RecursionError):
        body = None
    event_id = body.get("id") if isinstance(body, dict) else None
    if not isinstance(event_id, str) or not is_event_id(event_id):
        raise StepFailed(Reason.REFUSED, f"{step.address.place}: its message has no event id")
    return event_id

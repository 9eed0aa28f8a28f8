"""Before any endpoint is asked: each API request is seen, counted against the plan's rate, let past or
struck by faults, and its key is looked at. What the endpoints answer stands in `api`.
"""

from __future__ import annotations

import hmac
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from jobs.model import Instant
from jobs.tavus.sandbox.answers import NO_KEY, Answer, Refused, refused
from jobs.tavus.sandbox.fault import Fault, Kind, Operation, When
from jobs.tavus.sandbox.faults import Drawn, Faults, respond, skewed
from jobs.tavus.sandbox.rate import Window

Act = Callable[[web.Request, Drawn], Awaitable[Answer]]
"""One endpoint: does what it is asked and answers, or raises Refused."""

Pump = Callable[[], Awaitable[None]]
"""Delivers the webhooks that are due."""

REMEMBERED = 100_000
"""How many requests are remembered as seen."""

_NO_ANSWER = Answer(200, None)


@dataclass(slots=True)
class Seen:
    """One API request as the server saw it come in. `status` is None until it is answered, and stays so
    when it hangs or is dropped.
    """

    at: Instant
    operation: Operation
    status: int | None = None


class Front:
    """The one way in for API requests. `key` None accepts any key that isn't empty."""

    def __init__(
        self, now: Callable[[], Instant], faults: Faults, window: Window, pump: Pump, key: str | None
    ) -> None:
        self._now = now
        self._faults = faults
        self._window = window
        self._pump = pump
        self._key = None if key is None else key.encode()
        self.requests: deque[Seen] = deque(maxlen=REMEMBERED)

    async def serve(self, operation: Operation, act: Act, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        seen = Seen(self._now(), operation)
        self.requests.append(seen)
        response = await self._response(operation, act, request, seen.at)
        if response is None:
            return web.Response()  # the connection is gone: nobody reads this
        seen.status = response.status
        return response

    async def _response(
        self, operation: Operation, act: Act, request: web.Request, now: Instant
    ) -> web.StreamResponse | None:
        if not self._window.grants(now):
            return respond(Answer(429, {"message": "Too Many Requests"}))
        drawn = self._faults.draw(operation)
        if drawn.spoiler is not None and drawn.spoiler.strikes == When.BEFORE:
            await self._pause(drawn, When.BEFORE)
            return await self._faults.strike(drawn.spoiler, request, _NO_ANSWER)
        answer = await self._answer(act, request, drawn)
        if drawn.spoiler is not None:
            return await self._faults.strike(drawn.spoiler, request, answer)
        return respond(answer)

    async def _answer(self, act: Act, request: web.Request, drawn: Drawn) -> Answer:
        """The true answer, however slow, early or skewed."""
        await self._pause(drawn, When.BEFORE)
        try:
            self._check_key(request)
            answer = await act(request, drawn)
        except Refused as error:
            answer = error.answer
        if drawn.shaper(Kind.WEBHOOK_FIRST) is not None:
            await self._pump()
        await self._pause(drawn, When.AFTER)
        skew = drawn.shaper(Kind.SKEWED)
        return answer if skew is None else skewed(answer, lambda text: _shifted(text, skew))

    async def _pause(self, drawn: Drawn, when: When) -> None:
        slow = drawn.shaper(Kind.SLOW)
        if slow is not None and slow.strikes == when:
            await self._faults.pause(slow.seconds)

    def _check_key(self, request: web.Request) -> None:
        given = request.headers.get("x-api-key", "").encode(errors="surrogateescape")
        if not given or not (self._key is None or hmac.compare_digest(given, self._key)):
            raise refused(401, message=NO_KEY)


def _shifted(text: str, skew: Fault) -> str:
    at = datetime.fromisoformat(text) + timedelta(seconds=skew.seconds)
    timespec = "microseconds" if "." in text else "seconds"
    return at.isoformat(timespec=timespec).removesuffix("+00:00") + "Z"

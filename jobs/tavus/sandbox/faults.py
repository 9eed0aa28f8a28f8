"""The faults that are armed, and how each one strikes a request.

The only room of the sandbox that makes anybody wait: "slow" and "hang" last in real time, and end when the
server closes. What a fault is stands in `fault`.
"""

from __future__ import annotations

import asyncio
import json
import random
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from aiohttp import web

from jobs.tavus.sandbox.answers import NO_CREDITS, NO_KEY, NO_SLOT, Answer
from jobs.tavus.sandbox.fault import SHAPES, Fault, Kind, ListOrder, Operation, Wrong
from jobs.tavus.sandbox.room import Room


@dataclass(slots=True)
class Armed:
    """A fault with what is left of it, and its own dice. `left` None: for ever."""

    fault: Fault
    left: int | None
    dice: random.Random

    def falls(self, operation: Operation) -> bool:
        """Whether it strikes this request; if so, it is used up by one."""
        if not self.fault.applies_to(operation) or self.dice.random() >= self.fault.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


@dataclass(frozen=True, slots=True)
class Drawn:
    """What strikes one request: at most one spoiler, which takes the answer's place, and any shapers."""

    spoiler: Fault | None = None
    shapers: tuple[Fault, ...] = ()

    def shaper(self, kind: Kind) -> Fault | None:
        """The first shaper of this kind."""
        return next((fault for fault in self.shapers if fault.kind == kind), None)


NOTHING = Drawn()


class Faults:
    """The armed faults, in the order in which they were added; of several spoilers the first one strikes."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []
        self._closing = asyncio.Event()

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        self._armed.append(Armed(fault, fault.count, random.Random(fault.seed)))  # noqa: S311 - dice, no secret

    def clear(self) -> int:
        """Disarm all; returns how many there were. Requests already struck stay so."""
        count = len(self._armed)
        self._armed.clear()
        return count

    def __iter__(self) -> Iterator[Armed]:
        return iter(tuple(self._armed))

    def draw(self, operation: Operation) -> Drawn:
        """What strikes this request. Counts are used up by this call."""
        if not self._armed:
            return NOTHING
        shapers = [
            armed.fault for armed in self if SHAPES[armed.fault.kind].shaper and armed.falls(operation)
        ]
        rest = (armed for armed in self if not SHAPES[armed.fault.kind].shaper)
        spoiler = next((armed.fault for armed in rest if armed.falls(operation)), None)
        self._armed = [armed for armed in self._armed if armed.left != 0]
        return Drawn(spoiler, tuple(shapers))

    async def pause(self, seconds: float | None) -> None:
        """Let the time pass (None: without end), but not beyond the server's closing."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    async def open(self, _: web.Application) -> None:
        """The server opens: from now on a pause lasts."""
        self._closing.clear()

    async def release(self, _: web.Application) -> None:
        """The server closes: whoever waits is let go."""
        self._closing.set()

    async def strike(self, fault: Fault, request: web.Request, answer: Answer) -> web.StreamResponse | None:
        """Answer as the spoiler `fault` says, in place of `answer`; None when no answer ever goes out."""
        if fault.kind == Kind.HANG:
            await self.pause(None)
        if fault.kind in (Kind.HANG, Kind.DROP):
            _drop(request)
            return None
        if fault.kind == Kind.TRUNCATED:
            return await _truncate(request, answer)
        return _SPOILT[fault.kind](fault, request, answer)


def respond(answer: Answer) -> web.Response:
    """An answer as it should be: JSON and said to be; 204 without a body."""
    if answer.payload is None:
        return web.Response(status=answer.status)
    return web.json_response(answer.payload, status=answer.status)


def skewed(answer: Answer, shift: Callable[[str], str]) -> Answer:
    """The answer with each `created_at` shifted, in rows of a list too."""
    if not isinstance(answer.payload, dict):
        return answer
    payload = dict(answer.payload)
    if "created_at" in payload:
        payload["created_at"] = shift(payload["created_at"])
    if isinstance(payload.get("data"), list):
        payload["data"] = [skewed(Answer(200, row), shift).payload for row in payload["data"]]
    return Answer(answer.status, payload)


def reordered(rooms: Iterable[Room], fault: Fault) -> list[Room]:
    """Rooms, given newest first, as the fault orders them."""
    if fault.order == ListOrder.OLDEST:
        return list(rooms)[::-1]
    return sorted(rooms, key=lambda room: zlib.crc32(f"{fault.seed}/{room.conversation_id}".encode()))


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _truncate(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Announce the whole body, send half of it, hang up."""
    body = json.dumps(answer.payload).encode()
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def _status(fault: Fault, _request: web.Request, _answer: Answer) -> web.Response:
    headers = {"Content-Type": fault.content_type}
    if fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    body = _usual_body(fault.status) if fault.body is None else fault.body
    return web.Response(status=fault.status, body=body.encode(), headers=headers)


def _usual_body(status: int) -> str:
    known = {401: NO_KEY, 402: NO_CREDITS}
    phrases = {each.value: each.phrase for each in HTTPStatus}
    return json.dumps({"message": known.get(status) or phrases.get(status, "Unknown")})


def _full(_fault: Fault, _request: web.Request, _answer: Answer) -> web.Response:
    return web.json_response({"message": NO_SLOT}, status=400)


def _redirect(fault: Fault, request: web.Request, _answer: Answer) -> web.Response:
    return web.Response(status=307, headers={"Location": fault.location or str(request.rel_url)})


def _html(_fault: Fault, _request: web.Request, _answer: Answer) -> web.Response:
    return web.Response(text="<!doctype html><title>Just a moment</title>", content_type="text/html")


def _wrong_json(fault: Fault, _request: web.Request, answer: Answer) -> web.Response:
    return web.json_response(_WRONG[fault.wrong](answer.payload or {}), status=answer.status)


def _huge(fault: Fault, _request: web.Request, answer: Answer) -> web.Response:
    return web.json_response(
        {**(answer.payload or {}), "filler": "x" * fault.size_bytes}, status=answer.status
    )


def _gzip_bomb(fault: Fault, _request: web.Request, answer: Answer) -> web.Response:
    """A small body that unpacks to `size_bytes` of zeros, rounded up to whole mebibytes."""
    packer, block = zlib.compressobj(wbits=31), bytes(1024 * 1024)
    packed = b"".join(packer.compress(block) for _ in range(-(-fault.size_bytes // len(block))))
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return web.Response(status=answer.status, body=packed + packer.flush(), headers=headers)


def _without(key: str) -> Callable[[Any], Any]:
    return lambda payload: {name: value for name, value in payload.items() if name != key}


_WRONG: Mapping[Wrong, Callable[[Any], Any]] = MappingProxyType(
    {
        Wrong.NO_ID: _without("conversation_id"),
        Wrong.NO_URL: _without("conversation_url"),
        Wrong.TYPES: lambda payload: {
            name: [17] if isinstance(value, str) else "?" for name, value in payload.items()
        },
        Wrong.ARRAY: lambda payload: [payload],
        Wrong.NULL: lambda _payload: None,
    }
)

_SPOILT: Mapping[Kind, Callable[[Fault, web.Request, Answer], web.Response]] = MappingProxyType(
    {
        Kind.STATUS: _status,
        Kind.FULL: _full,
        Kind.REDIRECT: _redirect,
        Kind.HTML: _html,
        Kind.WRONG_JSON: _wrong_json,
        Kind.HUGE: _huge,
        Kind.GZIP_BOMB: _gzip_bomb,
    }
)

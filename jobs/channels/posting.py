"""One post of a frozen message to a service: sent once, to its URL and nowhere else.

What the channels that post have in common: which URLs are taken at all, how many posts to one host go
at the same time, time-outs, a capped answer, and what its status means for the link. A failure names
the host and nothing more: the URL is a secret, the message holds a link, and an answer may repeat both.
What a post says and what proves that it is ours are the channels'; redirects, proxies and cookies
are nobody's.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from jobs.errors import Blame, Reason, StepFailed
from jobs.loopback import is_loopback
from jobs.model import Address, Deliver
from jobs.tavus.transport import Departure, agent, describe, open_session
from jobs.tavus.wire.answer import Answer, retry_after_s

LARGEST_ANSWER = 4096
"""Bytes that are read of an answer; the rest stays unread."""

_NOT_NOW = {408, 425, 429}
_WRONG_PLACE = {401, 403, 404, 405, 410}
"""Statuses that every message to this URL will meet."""

Headers = Callable[[], Mapping[str, str]]
"""The headers of one try, asked for when it begins: they may tell the time."""


class Poster:
    """Posts messages, each once; at most `at_once` to one host at a time, first in, first out."""

    def __init__(self, session: aiohttp.ClientSession, at_once: int, answer_s: float) -> None:
        self._session = session
        self._answer_s = answer_s
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(at_once))

    async def post(self, step: Deliver, headers: Headers) -> Answer:
        """The answer to `step.message`, whatever its status; its body is `None` when it broke off.

        Its time-outs begin with its turn, not while it waits for one. Raises StepFailed: REFUSED for a
        URL that can't be used, BUSY when nothing was sent, LOST when that isn't certain.
        """
        url = _usable(step.address)
        async with self._turns[url.authority]:
            return await self._once(url, step, headers())

    async def _once(self, url: URL, step: Deliver, headers: Mapping[str, str]) -> Answer:
        departure = Departure(lambda: None, with_body=True)
        try:
            async with self._session.post(
                url,
                data=step.message or b"",
                headers={**headers, "Content-Type": "application/json"},
                allow_redirects=False,
                trace_request_ctx=departure,
            ) as response:
                told = response.headers
                body = await self._beginning(response)
                return Answer(response.status, body, told.get("Date"), told.get("Retry-After"))
        except (aiohttp.ClientError, OSError) as error:
            trouble = describe(error)
        # Raised here, outside of `except`: the library's error holds the URL and must not be its context.
        reason = Reason.LOST if departure.may_have_left else Reason.BUSY
        raise StepFailed(reason, f"{step.address.place}: {trouble}")

    async def _beginning(self, response: aiohttp.ClientResponse) -> bytes | None:
        """What comes of the body soon and within the cap; the status has said what matters."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._answer_s):
                while len(body) < LARGEST_ANSWER:
                    piece = await response.content.read(LARGEST_ANSWER - len(body))
                    if not piece:
                        break
                    body += piece
        except (aiohttp.ClientError, OSError):
            return None
        return bytes(body)


@asynccontextmanager
async def open_poster(
    *, connect_s: float = 10.0, total_s: float = 30.0, answer_s: float = 5.0, at_once: int = 8
) -> AsyncIterator[Poster]:
    """A poster for as long as the block lasts; leaving it closes its connections.

    `connect_s` bounds TCP and TLS, `total_s` a whole try, `answer_s` the body of its answer.
    """
    async with open_session({"User-Agent": agent()}, total_s, connect_s) as session:
        yield Poster(session, at_once, answer_s)


def turned_down(address: Address, answer: Answer, word: str = "") -> StepFailed:
    """The failure that an answer without success stands for; `word` is what the service called it."""
    status = answer.status
    detail = " ".join(filter(None, [f"{address.place} answered {status}", word]))
    if 300 <= status < 400:
        return StepFailed(
            Reason.REFUSED, f"{detail}: it has moved, and redirects are not followed", blame=Blame.SETUP
        )
    if status in _NOT_NOW:
        return StepFailed(Reason.BUSY, detail, retry_after_s(answer))
    if 400 <= status < 500:
        return StepFailed(Reason.REFUSED, detail, blame=Blame.SETUP if status in _WRONG_PLACE else None)
    return StepFailed(Reason.LOST, detail, retry_after_s(answer))


def refused(address: Address, why: str) -> StepFailed:
    """Nothing is posted there until somebody puts the configuration right."""
    return StepFailed(Reason.REFUSED, f"{address.place or address.channel}: {why}", blame=Blame.SETUP)


def _usable(address: Address) -> URL:
    """The URL, if it is one and its way is closed to listeners. Private hosts are fine: it was
    written by whoever runs this, and no answer can lead elsewhere."""
    try:
        url = _as_written(address.target)
        host = url.host or ""
        host.encode("idna")  # the resolver would fail on it
    except ValueError:
        raise refused(address, "its URL can't be read") from None
    if url.scheme not in ("http", "https") or not host:
        raise refused(address, "its URL doesn't begin with https://")
    if url.scheme == "http" and not is_loopback(host):
        raise refused(address, "its URL must begin with https:// (http:// is for loopback only)")
    return url


def _as_written(target: str) -> URL:
    """No escape of its path or query is spelt anew: a service may have signed them."""
    if not target.isprintable() or " " in target:
        raise ValueError
    return URL(target, encoded=target.isascii())

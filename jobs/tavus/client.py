"""Tavus as one verb per endpoint; each call of a verb is one request.

What is asked and what an answer means is `wire`'s business, sending it once is `transport`'s; here
the two meet. Nothing is retried, waited for, limited or remembered: every failure is a
`StepFailed` for the scheduler to act on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import SplitResult, urlsplit

from jobs.loopback import is_loopback
from jobs.model import ConversationRequest, Created, Ended, NotEnded, NotThere, Page, Sent, StillLive, Survey
from jobs.tavus.transport import Transport, agent, open_session
from jobs.tavus.wire import Ids, Persona, Replica, calls, facts
from jobs.tavus.wire.fields import link


class TavusClient:
    """The API of one account. Every verb raises StepFailed, and calls `sent` once its request leaves."""

    def __init__(self, transport: Transport, ids: Ids) -> None:
        self._transport = transport
        self._ids = ids

    async def create(self, request: ConversationRequest, sent: Sent) -> Created:
        """Create a conversation. LOST means that one may exist (S14)."""
        answer = await self._transport.ask(calls.create(request, self._ids), sent)
        return facts.created(answer, request.conversation_name)

    async def survey(self, step: Survey, sent: Sent) -> Page:
        """One page of the account's list."""
        return facts.page(await self._transport.ask(calls.survey(step), sent))

    async def inspect(self, conversation_id: str, sent: Sent) -> StillLive | Ended | NotThere:
        """The state of one conversation."""
        answer = await self._transport.ask(calls.inspect(conversation_id), sent)
        return facts.inspected(answer, conversation_id)

    async def end(self, conversation_id: str, sent: Sent) -> Ended | NotEnded:
        """End one conversation; NotEnded (a 400) may mean that it is over already."""
        return facts.ended(await self._transport.ask(calls.end(conversation_id), sent))

    async def persona(self, persona_id: str, sent: Sent) -> Persona | NotThere:
        """Look a persona (PAL) up."""
        answer = await self._transport.ask(calls.persona(persona_id, self._ids), sent)
        return facts.persona(answer, persona_id)

    async def replica(self, replica_id: str, sent: Sent) -> Replica | NotThere:
        """Look a replica (face) up."""
        answer = await self._transport.ask(calls.replica(replica_id, self._ids), sent)
        return facts.replica(answer, replica_id)


@asynccontextmanager
async def connect(
    base_url: str, api_key: str, ids: str = Ids.PERSONA, *, total_s: float = 60.0, connect_s: float = 10.0
) -> AsyncIterator[TavusClient]:
    """A client for as long as the block lasts; leaving it closes its connections.

    `total_s` bounds a whole call: an answer that arrives on a socket that we closed is lost, so it is
    generous (S14). Raises ValueError, with a text for people that holds no secret, for a base URL
    that isn't https (but on loopback), an unusable key or an unknown spelling of ids.
    """
    headers = {"x-api-key": _checked_key(api_key), "User-Agent": agent(), "Accept": "application/json"}
    checked_url, spelling = _checked_url(base_url), Ids(ids)
    async with open_session(headers, total_s, connect_s) as session:
        yield TavusClient(Transport(session, checked_url, api_key), spelling)


def _checked_url(base_url: str) -> str:
    if link(base_url) is None or not _is_resolvable(urlsplit(base_url)):
        raise ValueError("base_url must be an address like https://tavusapi.com")
    parts = urlsplit(base_url)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("base_url must be a bare address: no user, query or fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("base_url must begin with https:// (http:// is for loopback only)")
    return base_url


def _is_resolvable(parts: SplitResult) -> bool:
    """Whether the name can be asked for at all: the resolver's encoding fails on some names."""
    try:
        return bool((parts.hostname or "").encode("idna"))
    except UnicodeError:
        return False


def _checked_key(api_key: str) -> str:
    if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ValueError("the API key is empty, or holds characters that a header cannot carry")
    return api_key

"""One call over the network: sent once, answered or not.

This room alone tells "not sent" from "unknown" (S14): a failure before the request's headers went
out is BUSY, any failure after that is LOST. It reads status and body and understands neither; it
never sends twice, follows no redirect, keeps no cookie, and lets neither the key nor an exception
of the HTTP library (whose `repr` holds the key) get out.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from types import SimpleNamespace

import aiohttp
from yarl import URL

from jobs.errors import Reason, StepFailed
from jobs.model import Sent
from jobs.tavus.wire import Answer, Call

LARGEST_BODY = 1024 * 1024
"""Bytes, counted after unpacking: a list of 100 conversations is a tenth of it."""

_SHORTEST_SECRET = 8
"""Characters; a shorter key is no secret, and taking it out would garble messages."""


class _BrokenError(aiohttp.ClientError):
    """A connection broke; the text is ours."""


class Departure:
    """How far one request has come, as the session's trace tells; rings `sent` when it leaves.

    The library announces the headers, but writes them together with a body, in a task of its own: in a
    burst that is up to 70 ms later. From the announcement on, a failure is no longer "not sent", the safe
    side; the rate counts from the writing (S17).
    """

    def __init__(self, sent: Sent, *, with_body: bool) -> None:
        self._sent = sent
        self._with_body = with_body
        self._has_left = False
        self.may_have_left = False
        self.withheld: StepFailed | None = None

    def announce(self) -> None:
        """The headers are ready; without a body they are written at once."""
        self.may_have_left = True
        if not self._with_body:
            self.leave()

    def leave(self) -> None:
        """The bytes go out now; only the first time counts. Whoever granted them may keep them back."""
        if self._has_left:
            return
        try:
            self._sent()
        except StepFailed as error:
            self.withheld = error
            raise _BrokenError("kept back") from None
        self._has_left = True


class Transport:
    """Sends calls to `base_url` through a session made by `open_session`."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, api_key: str) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key.encode()

    async def ask(self, call: Call, sent: Sent) -> Answer:
        """The answer to one request, whatever its status. `sent` is called once, right before its bytes
        are written; a StepFailed of its own keeps them back, and is raised. Raises StepFailed: BUSY when
        nothing was sent, LOST when that isn't certain."""
        departure = Departure(sent, with_body=bool(call.body))
        try:
            return await self._once(call, departure)
        except (aiohttp.ClientError, OSError) as error:
            trouble = describe(error)
        # Raised here, outside of `except`: the library's error holds the key and must not be its context.
        if departure.withheld is not None:
            raise departure.withheld
        if departure.may_have_left:
            with suppress(_BrokenError):
                departure.leave()
            raise StepFailed(Reason.LOST, f"no answer: {trouble}")
        raise StepFailed(Reason.BUSY, f"not sent: {trouble}")

    async def _once(self, call: Call, departure: Departure) -> Answer:
        async with self._session.request(
            call.method,
            URL(self._base_url + call.path, encoded=True),
            data=call.body,
            headers={"Content-Type": "application/json"} if call.body else None,
            allow_redirects=False,
            trace_request_ctx=departure,
        ) as response:
            body = await _read(response)
            headers = response.headers
            return Answer(
                response.status, self._redacted(body), headers.get("Date"), headers.get("Retry-After")
            )

    def _redacted(self, body: bytes | None) -> bytes | None:
        """A server that repeats the key must not bring it into a message of ours."""
        if body is None or len(self._api_key) < _SHORTEST_SECRET:
            return body
        return body.replace(self._api_key, b"(key)")


def open_session(headers: dict[str, str], total_s: float, connect_s: float) -> aiohttp.ClientSession:
    """A session in which nothing happens by itself; `connect_s` covers TCP and TLS."""
    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_on_headers_sent)
    trace.on_request_chunk_sent.append(_on_chunk_sent)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=total_s, sock_connect=connect_s),
        headers=headers,
        # An End has no body, and must not claim a type for it.
        skip_auto_headers=["Content-Type"],
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        trace_configs=[trace],
        middlewares=[_never_again],
    )


def agent() -> str:
    """Who we say we are, as a `User-Agent`."""
    try:
        return f"callboard/{version('callboard')}"
    except PackageNotFoundError:  # run from a checkout
        return "callboard"


async def _on_headers_sent(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _params: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    departure: Departure = context.trace_request_ctx
    departure.announce()


async def _on_chunk_sent(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _params: aiohttp.TraceRequestChunkSentParams,
) -> None:
    # The library calls this right before it writes the headers and the first piece of the body.
    departure: Departure = context.trace_request_ctx
    departure.leave()


async def _never_again(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """aiohttp sends a GET a second time by itself when a kept connection breaks; one call is one
    request here, since the limiter counts them (S17). An error of another kind ends its loop."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _BrokenError(describe(error)) from None


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    """The whole body, or `None` when it breaks off, can't be unpacked or exceeds `LARGEST_BODY`.

    Read piece by piece: the library unpacks a bounded piece at a time, so a small answer that
    unpacks to gigabytes is dropped at the first mebibyte.
    """
    body = bytearray()
    try:
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > LARGEST_BODY:
                response.close()
                return None
    except (aiohttp.ClientError, OSError):
        return None
    return bytes(body)


def describe(error: Exception) -> str:
    """What went wrong in a few words of ours: the library's own text may show headers."""
    match error:
        case _BrokenError():
            return str(error)
        case aiohttp.ClientConnectorDNSError():
            return "the host's name was not resolved"
        case aiohttp.ClientConnectorCertificateError():
            return "the host's certificate is not trusted"
        case aiohttp.ClientSSLError():
            return "TLS failed"
        case TimeoutError():
            return "time ran out"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed"
        case OSError():
            return error.strerror or "the connection failed"
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return "it was not HTTP"
        case _:
            return "the connection broke"

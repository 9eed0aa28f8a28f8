"""Signing in: a token once, then a cookie with a random id, of which only a hash is kept, in memory.

A start forgets all sessions. A wrong token is slow and counted, and only so many may be tried at once; a
right one is never kept waiting. Nothing here knows HTTP: whoever asks hands over texts and gets a session.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from scheduler.clock import Bell, Clock
from scheduler.settings import Secret

COOKIE = "callboard"
LASTS_S = 12 * 3600.0
SESSIONS_MAX = 500
WRONG_S = 1.0
"""How long a wrong token takes."""
TRIED_AT_ONCE = 10
NAME_MAX = 64


class TooMany(Exception):
    """So many wrong tokens are being tried that no more are looked at now."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who signed in. `by` stands in the ledger beside what they do; `csrf` proves that a form is one
    of ours."""

    by: str
    csrf: str = field(repr=False)
    until_boot: float


class Sessions:
    """Who is signed in. `wrong` is told how many wrong tokens there were so far, each time."""

    def __init__(self, token: Secret, clock: Clock, wrong: Callable[[int], None]) -> None:
        self._token = _hash(token.reveal())
        self._clock = clock
        self._wrong = wrong
        self._wrongs = 0
        self._trying = 0
        self._sessions: dict[bytes, Session] = {}

    async def sign_in(self, token: str, by: str) -> str | None:
        """The id of a new session, or `None` after a while if the token is wrong. Raises TooMany."""
        if self._trying >= TRIED_AT_ONCE:
            raise TooMany
        if hmac.compare_digest(_hash(token), self._token):
            return self._begun(by)
        self._wrongs += 1
        self._wrong(self._wrongs)
        self._trying += 1
        try:
            await self._clock.sleep_until(None, Bell(), WRONG_S)
        finally:
            self._trying -= 1
        return None

    def find(self, id_: str | None) -> Session | None:
        """The session of this id, while it lasts."""
        session = self._sessions.get(_hash(id_)) if id_ else None
        return session if session and self._clock.boot() < session.until_boot else None

    def sign_out(self, id_: str | None) -> None:
        """End the session of this id."""
        if id_:
            self._sessions.pop(_hash(id_), None)

    def _begun(self, by: str) -> str:
        now = self._clock.boot()
        self._sessions = {id_: each for id_, each in self._sessions.items() if now < each.until_boot}
        while len(self._sessions) >= SESSIONS_MAX:
            del self._sessions[next(iter(self._sessions))]
        id_ = secrets.token_urlsafe(32)
        self._sessions[_hash(id_)] = Session(by, secrets.token_urlsafe(32), now + LASTS_S)
        return id_


def name_of(text: str) -> str | None:
    """The name as it may stand in the ledger, or `None` if it is none: one line of printable signs."""
    name = " ".join(text.split())
    return name if 0 < len(name) <= NAME_MAX and name.isprintable() else None


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()

"""The verbs of the desk as values: what goes over the control socket, asked at one end and done at the other.

A wish is a verb with its arguments; it knows how to be asked of a desk, and pydantic knows it as JSON. What a
form doesn't know is an error, or a newer command's `dry_run` would be done by an older daemon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter

from jobs.model import Instant
from scheduler.desk import Answer, Asker, Desk, Missed, Scope, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Something that somebody wants."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    asker: Asker

    async def ask(self, desk: Desk) -> Answer:
        """Ask it of this desk."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPause(Wish):
    """Skip what opens from now on."""

    scope: Scope
    until: Instant | None

    async def ask(self, desk: Desk) -> Answer:
        """Ask it of this desk."""
        return await desk.pause(self.scope, self.until, self.asker)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToResume(Wish):
    """End a pause."""

    scope: Scope

    async def ask(self, desk: Desk) -> Answer:
        """Ask it of this desk."""
        return await desk.resume(self.scope, self.asker)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSkip(Wish):
    """Take a promise back."""

    key: str

    async def ask(self, desk: Desk) -> Answer:
        """Ask it of this desk."""
        return await desk.skip(self.key, self.asker)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToMakeUp(Wish):
    """Promise again what came to nothing."""

    of: str | Missed
    on: date
    at: time | None
    dry_run: bool

    async def ask(self, desk: Desk) -> Answer:
        """Ask it of this desk."""
        return await desk.make_up(self.of, self.on, self.at, self.asker, dry_run=self.dry_run)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToEnd(Wish):
    """End a conversation."""

    key: str

    async def ask(self, desk: Desk) -> Answer:
        """Ask it of this desk."""
        return await desk.end(self.key, self.asker)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToResend(Wish):
    """Hand a link over again."""

    key: str
    channel: str | None

    async def ask(self, desk: Desk) -> Answer:
        """Ask it of this desk."""
        return await desk.resend(self.key, self.channel, self.asker)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToRetry(Wish):
    """Put a failed promise back into line."""

    key: str

    async def ask(self, desk: Desk) -> Answer:
        """Ask it of this desk."""
        return await desk.retry(self.key, self.asker)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToResumeAccount(Wish):
    """Lift the account's holds."""

    async def ask(self, desk: Desk) -> Answer:
        """Ask it of this desk."""
        return await desk.resume_account(self.asker)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToReload(Wish):
    """Read the files again."""

    async def ask(self, desk: Desk) -> Answer:
        """Ask it of this desk."""
        return await desk.reload(self.asker)


WISHES: Mapping[str, type[Wish]] = {
    "pause": ToPause,
    "resume": ToResume,
    "skip": ToSkip,
    "make-up": ToMakeUp,
    "end": ToEnd,
    "resend": ToResend,
    "retry": ToRetry,
    "resume-account": ToResumeAccount,
    "reload": ToReload,
}
"""Every wish by its verb."""

ANSWER = TypeAdapter(Answer)
STATUS = TypeAdapter(Status)


def verb_of(wish: Wish) -> str:
    """The verb of a wish."""
    return next(verb for verb, kind in WISHES.items() if kind is type(wish))


def written(wish: Wish) -> bytes:
    """A wish as JSON."""
    return TypeAdapter(type(wish)).dump_json(wish)


def read(verb: str, body: bytes) -> Wish:
    """A wish of this verb out of JSON; raises ValueError for what is none."""
    return TypeAdapter(WISHES[verb]).validate_json(body)

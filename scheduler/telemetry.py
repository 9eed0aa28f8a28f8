"""What happened, as log lines: one canonical line for each step, with its record and its reason.

It is told by others and decides nothing. No line of its ever holds a join link (the log channel's
own line is a delivery, made in `jobs.channels`), and the values of secrets are taken out of every
line, whoever wrote it. Numbers for a metrics page will be listeners of the same facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

import structlog

from jobs.errors import Blame, Reason
from jobs.model import Address, Instant
from scheduler import policy
from scheduler.console import Console
from scheduler.facts import (
    NAMES,
    Doubted,
    EndedReason,
    Fact,
    Failed,
    Faulted,
    Missed,
    NothingThere,
    Stage,
    StrayFound,
    StrayKept,
    Unlisted,
)
from scheduler.record import Record
from scheduler.settings import LogStyle, Redaction, Secret

QUIET = (Doubted, NothingThere)
"""Facts that are no step's outcome: a line only if they move the record; `explain` has them all."""

GRAVE = (Failed, Faulted, Missed, StrayFound, StrayKept, Unlisted)
"""Facts that make a warning."""


DAY_S = 86_400.0

CUT_SHORT_S = 15.0
"""A call that ended this much before its asked-for length was not ended by its own clock."""


def configure(style: LogStyle, stream: TextIO, secrets: Iterable[Secret], *, color: bool) -> Redaction:
    """Set up structlog for the whole process: where lines go, how they look, and what they never hold,
    which may become more."""
    redact = Redaction(secrets)

    def redacted(_logger: object, _name: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        return {redact(name): _plain(value, redact) for name, value in event.items()}

    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if style is LogStyle.CONSOLE:
        renderer = Console(color=color)
    time_format = "%H:%M:%S" if style is LogStyle.CONSOLE else "iso"
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt=time_format, utc=style is LogStyle.JSON),
            structlog.processors.format_exc_info,
            redacted,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    return redact


class Telemetry:
    """Turns facts into lines. A line that can't be written is dropped: the ledger has it."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("callboard")
        self._told: dict[tuple[Address, str], Instant] = {}

    def fact(self, fact: Fact, before: Record, after: Record, took_s: float | None, at: Instant) -> None:
        """One line for one committed fact about a record."""
        moved = after.stage is not before.stage
        if isinstance(fact, QUIET) and not moved:
            return
        grave = (isinstance(fact, GRAVE) and not self._is_known(fact, at)) or (moved and _alarming(after))
        fields = {**_who(after), **_what(fact, before, after)}
        if isinstance(fact, Failed | StrayKept) and _given_back(after, at):
            fields["detail"] = "its slot is given back, but it may still bill: end it by hand"
        if took_s is not None:
            fields["took"] = round(took_s, 3)
        self.say(NAMES[type(fact)], grave=grave, **fields)

    def _is_known(self, fact: Fact, at: Instant) -> bool:
        """What is refused is told once a day, not once for every message: a bad address, and a set-up that
        one server turns away in the same words. A channel that is closed is told by whoever closes it."""
        if not isinstance(fact, Failed) or fact.address is None or fact.blame is None:
            return False
        if fact.blame is Blame.SETUP and fact.reason is not Reason.REFUSED:
            return True
        self._told = {each: since for each, since in self._told.items() if since > at - DAY_S}
        refused = _refused(fact.address, fact.blame, fact.detail)
        known = refused in self._told
        self._told.setdefault(refused, at)
        return known

    def say(self, event: str, *, grave: bool = False, **fields: Any) -> None:
        """One line about the house itself: holds, reloads, the ledger, the clock."""
        tell = self._log.warning if grave else self._log.info
        try:
            tell(event, **fields)
        except (OSError, ValueError):  # a pipe that is gone, a stream that is closed
            return


def _plain(value: Any, redact: Callable[[str], str]) -> Any:
    """The value as a renderer can't spell it otherwise: secrets are found only in plain text."""
    if isinstance(value, str):
        return redact(str(value))
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, Mapping):
        return {redact(str(name)): _plain(each, redact) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, redact) for each in value]
    return redact(value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def _refused(address: Address, blame: Blame, detail: str) -> tuple[Address, str]:
    """Whatever is refused so is refused for the same reason."""
    if blame is Blame.ADDRESS:
        return address, ""
    return address.route, detail


def _alarming(record: Record) -> bool:
    """A promise that came to nothing, a link that reached nobody (S28), a call that was cut short."""
    if record.stage in (Stage.FAILED, Stage.MISSED):
        return True
    return record.reason == EndedReason.UNDELIVERED or _cut_short(record)


def _given_back(record: Record, at: Instant) -> bool:
    """Its end was asked for a quarter of an hour without an answer (S17)."""
    if any(stray.tries >= policy.STRAY_TRIES_HELD and stray.end_at is not None for stray in record.strays):
        return True
    if record.stage is not Stage.LIVE or record.created_at is None:
        return False
    return at >= policy.given_back_at(record.created_at, record.max_call_s)


def _cut_short(record: Record) -> bool:
    """Running out of credit in the middle of a call looks like its normal end, only sooner (S23)."""
    lasted_s = record.lasted_s
    full = record.reason == EndedReason.MAX_CALL_DURATION
    return full and lasted_s is not None and lasted_s < record.max_call_s - CUT_SHORT_S


def _who(record: Record) -> dict[str, Any]:
    return {
        "key": record.key,
        "schedule": record.schedule,
        "participant": record.participant,
        "attempt": record.attempt,
    }


def _what(fact: Fact, before: Record, after: Record) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    reason = getattr(fact, "reason", None)
    if after.stage is not before.stage:
        shown["stage"] = str(after.stage)
        reason = after.reason or reason
    if reason is not None:
        shown["reason"] = str(reason)
    for name in ("step", "ask", "by", "why", "channel", "other", "detail", "blame", "conversation_id"):
        value = getattr(fact, name, None)
        if value is not None:
            shown[name] = str(value)
    address = getattr(fact, "address", None)
    if address is not None:
        shown["channel"] = address.channel
        if address.channel != "mail" and address.place:  # a mail's is the participant's own
            shown["host"] = address.place
    if after.stage is Stage.ENDED and before.stage is not Stage.ENDED and after.lasted_s is not None:
        shown.update(_how_it_ended(after, round(after.lasted_s)))
    if before.created_at is None and after.lateness_s is not None:
        shown["lateness_s"] = round(after.lateness_s, 3)
    return shown


def _how_it_ended(record: Record, lasted_s: int) -> dict[str, Any]:
    shown: dict[str, Any] = {"lasted_s": lasted_s}
    if _cut_short(record):
        shown["detail"] = f"asked for {record.max_call_s} s: has the account run out of credit?"
    if record.reason == EndedReason.UNDELIVERED:
        shown["detail"] = _untold(record)
    return shown


def _untold(record: Record) -> str:
    """Whom the link did not reach, as far as everybody may know, and where the rest is found (S28)."""
    ways = (f"{d.address.channel} {d.address.place.rpartition('@')[2]}".strip() for d in record.deliveries)
    whys = (d.reason or "" for d in record.deliveries)
    tried = ", ".join(f"{way} {why}" for way, why in zip(ways, whys, strict=True))
    return f"nobody was told ({tried}); callboard explain {record.key} shows each try"

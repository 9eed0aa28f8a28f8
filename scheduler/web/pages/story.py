"""One occurrence's story: each fact of the ledger as a sentence.

What a person reads of a fact, and how it looks. The join link is in no fact; it stands in the record, and
whoever shows the record decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from jobs.model import Address, Created, Delivered, Ended, Instant, NotEnded, NotThere, StillLive
from scheduler import facts
from scheduler.facts import StepKind
from scheduler.ledger.snapshot import Told
from scheduler.web.pages.words import GAVE_UP, GRAVE_ENDS, turned_away, why


class Line(NamedTuple):
    """One fact as a person reads it. `look` is `well`, `live`, `wait`, `wrong` or `off`."""

    at: Instant
    kind: str
    look: str
    said: str
    detail: str | None = None


def lines(story: Iterable[Told]) -> list[Line]:
    """Every fact of a story, in its order."""
    return [_line(told) for told in story]


def spoken(address: Address) -> str:
    """`log`, `mail ana@example.com`, `webhook example.com`."""
    return " ".join(filter(None, [address.channel, address.place]))


def _line(told: Told) -> Line:
    if told.fact is None or type(told.fact) not in _SAID:
        return Line(told.at, told.kind, "wait", told.kind.replace("_", " ").capitalize())
    look, said, detail = _SAID[type(told.fact)](told.fact)
    return Line(told.at, told.kind, look, said, detail)


_Said = tuple[str, str, str | None]

_STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        StepKind.CREATE: "Making the conversation",
        StepKind.DELIVER: "Handing over the link",
        StepKind.INSPECT: "Asking whether it still runs",
        StepKind.END: "Ending the conversation",
    }
)

_ASKED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "skip": "took it back",
        "end": "asked to end it",
        "resend": "asked to hand over the link again",
        "retry": "asked to try it again",
        "make_up": "asked to make it up",
    }
)


def _failed(fact: Any) -> _Said:
    where = f" by {spoken(fact.address)}" if fact.address else ""
    return "wrong", f"{_STEPS[fact.step]}{where} failed: {turned_away(fact.reason)}", fact.detail or None


def _asked(fact: Any) -> _Said:
    said = f"{fact.by} {_ASKED.get(fact.ask, fact.ask)}"
    if fact.channel:
        said += f" by {fact.channel}"
    more = [f"“{fact.why}”" if fact.why else None, fact.other]
    return "wait", said, " · ".join(filter(None, more)) or None


def _ended(fact: Any) -> _Said:
    look = "wrong" if fact.reason in GRAVE_ENDS else "well"
    return look, f"The conversation is over: {why(fact.reason)}", None


def _gave_up(fact: Any) -> _Said:
    return "wrong", f"Gave up on {spoken(fact.address)}: {GAVE_UP.get(fact.reason, fact.reason)}", None


def _found(fact: Any) -> _Said:
    state = "it runs" if fact.active else "it is over"
    return "live", f"The conversation was found in the account's list; {state}", fact.conversation_id


_SAID: Final[Mapping[type, Callable[[Any], _Said]]] = MappingProxyType(
    {
        facts.Attempted: lambda f: ("wait", "A conversation was asked for", f"configuration {f.generation}"),
        Created: lambda f: ("live", "The conversation was made", f.conversation_id),
        facts.Found: _found,
        facts.NothingThere: lambda _: ("wait", "Looked for a lost answer: no conversation there", None),
        facts.Unlisted: lambda _: ("wrong", "The account's list could not be read to its end", None),
        facts.Failed: _failed,
        Delivered: lambda f: ("well", f"The link was handed over by {spoken(f.address)}", None),
        facts.GaveUp: _gave_up,
        StillLive: lambda _: ("live", "It still runs", None),
        facts.Doubted: lambda f: ("wait", "There is reason to ask whether it still runs", f.by),
        Ended: _ended,
        NotThere: lambda _: ("wrong", "The service doesn't know this conversation", None),
        NotEnded: lambda _: ("wait", "The service did not end it; it may be over already", None),
        facts.Skipped: lambda f: ("off", f"Skipped: {why(f.reason)}", None),
        facts.Missed: lambda f: ("wrong", f"Missed: {why(f.reason)}", None),
        facts.Cancelled: lambda f: ("off", f"Cancelled: {why(f.reason)}", None),
        facts.Asked: _asked,
        facts.StrayFound: lambda f: (
            "wrong",
            "A conversation of it that nobody wants was found",
            f.conversation_id,
        ),
        facts.StrayEnded: lambda f: ("well", "That conversation is over", f.conversation_id),
        facts.StrayKept: lambda f: ("wrong", "That conversation could not be ended yet", f.detail),
        facts.Faulted: lambda f: ("wrong", "Something unexpected happened", f.detail),
    }
)

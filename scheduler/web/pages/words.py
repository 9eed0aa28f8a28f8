"""Stages, reasons and facts in words for people; the closed sets are those of `scheduler.facts`.

One sentence for each reason, so that nobody has to know ours. Nothing is judged here but how a stage looks:
whether it went well, went wrong, waits, or was let be.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from scheduler.facts import Stage
from scheduler.record import Delivery, DeliveryState, Record
from scheduler.vitals import WorkerState

LOOKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Stage.PLANNED: "wait",
        Stage.CREATING: "wait",
        Stage.LIVE: "live",
        Stage.ENDED: "well",
        Stage.SKIPPED: "off",
        Stage.MISSED: "wrong",
        Stage.CANCELLED: "off",
        Stage.FAILED: "wrong",
    }
)
"""How each stage looks: `well`, `live`, `wait`, `wrong` or `off`."""

WORKER_LOOKS: Final[Mapping[str, str]] = MappingProxyType(
    {WorkerState.LEADS: "live", WorkerState.WORKS: "well", WorkerState.GONE: "wrong"}
)
"""How each worker's state looks."""

GRAVE_ENDS: Final = frozenset({"undelivered", "startup_fault", "gone"})
"""The ends of a conversation that are no good end."""

WHY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "disabled": "the schedule is switched off",
        "paused": "it was paused",
        "overlap": "the person's other conversation was still running",
        "date_absent": "that day does not exist there",
        "excluded": "the schedule leaves that day out",
        "budget": "the budget is used up",
        "late": "its time was over before anybody could begin",
        "no_capacity": "no place became free before its window shut",
        "busy": "the service turned every try away",
        "denied": "the service refused the key",
        "spent": "the account has no credit",
        "clock_held": "this machine's clock could not be believed",
        "gap": "nobody was at work for more than a week",
        "removed": "it is no longer in the configuration",
        "by_person": "a person took it back",
        "refused": "the service refused the request",
        "unknown_outcome": "nobody can tell whether a conversation was made",
        "fault": "something unexpected happened three times",
        "max_call_duration": "it ran to its full length",
        "left": "everybody had left",
        "absent": "nobody came",
        "by_us": "we ended it",
        "undelivered": "its link could not be handed over to anybody",
        "unseen": "it was over before we knew of it",
        "startup_fault": "the service could not start it",
        "room_deleted": "its room was deleted",
        "test_mode": "a test: the room never runs",
        "gone": "the service no longer knows it",
        "other": "the service gave another reason",
    }
)
"""Every reason in a sentence."""

TURNED_AWAY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "busy": "the other side was busy",
        "full": "the account's places were all taken",
        "lost": "the answer was lost",
        "spent": "the account has no credit",
        "denied": "the service refused the key",
        "refused": "the service refused the request",
    }
)
"""Why a step failed, in a sentence."""

GAVE_UP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "stale": "the link would have been dead",
        "ended": "the conversation was over before",
        "refused": "it was refused for good",
        "exhausted": "every try failed",
    }
)
"""Why a delivery was given up, in a sentence."""


def look(record: Record) -> str:
    """How a record looks: as its stage does, unless it ended badly."""
    if record.stage is Stage.ENDED and record.reason in GRAVE_ENDS:
        return "wrong"
    return LOOKS[record.stage]


def why(reason: str | None) -> str:
    """The reason in a sentence; what isn't known is shown as it is."""
    return WHY.get(reason or "", reason or "")


def turned_away(reason: str | None) -> str:
    """Why a step failed, in a sentence."""
    return TURNED_AWAY.get(reason or "", reason or "")


def told(delivery: Delivery) -> str:
    """How far a delivery has come, in words."""
    match delivery.state:
        case DeliveryState.DELIVERED:
            return "delivered"
        case DeliveryState.GIVEN_UP:
            return f"given up: {GAVE_UP.get(delivery.reason or '', delivery.reason or '')}"
        case DeliveryState.OPEN if delivery.tries:
            return f"waiting, {delivery.tries} {'try' if delivery.tries == 1 else 'tries'} failed"
        case _:
            return "on its way"

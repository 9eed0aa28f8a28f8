"""The personas and replicas that this Tavus knows, and nothing about how a request names them.

Ids are opaque: an id that stands in no table is unknown, whatever its shape. Tests add rows of their own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Persona:
    """A persona (since 2026 also: PAL). Without a default replica, a create has to name one."""

    name: str
    default_replica_id: str | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica (since 2026 also: face); usable when its training status is `completed`."""

    name: str
    status: str = "completed"


def stock_personas() -> dict[str, Persona]:
    """The table a new sandbox starts with, by persona id."""
    return {
        "pdced222244b": Persona("Sales Coach", "rfe12d8b9597"),
        "pcb7a34da5fe": Persona("Example persona without a replica"),
    }


def stock_replicas() -> dict[str, Replica]:
    """The table a new sandbox starts with, by replica id."""
    return {
        "rfe12d8b9597": Replica("Nathan"),
        "r90bbd427f71": Replica("Example replica"),
        "r0training00": Replica("Example replica in training", "started"),
    }

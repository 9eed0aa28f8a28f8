"""A Tavus in one process, for trying out, rehearsals and tests.

It answers as the API description says (README.md beside this file), runs a conversation's timers from the
`now()` that it is given, and does wrong on demand. It does not know `scheduler`, keeps nothing on disk, talks
to nobody but loopback webhook targets, and shares no line with `jobs.tavus.wire`: two readings of one
description can't share a misreading.
"""

from __future__ import annotations

from jobs.tavus.sandbox.account import RoomClosed
from jobs.tavus.sandbox.fault import Fault, Kind, ListOrder, Operation, When, Wrong
from jobs.tavus.sandbox.faults import Faults
from jobs.tavus.sandbox.front import Seen
from jobs.tavus.sandbox.life import Shutdown
from jobs.tavus.sandbox.plan import Dialect, Plan, ReasonAt
from jobs.tavus.sandbox.room import Event, Room
from jobs.tavus.sandbox.server import Sandbox
from jobs.tavus.sandbox.stock import Persona, Replica

__all__ = [
    "Dialect",
    "Event",
    "Fault",
    "Faults",
    "Kind",
    "ListOrder",
    "Operation",
    "Persona",
    "Plan",
    "ReasonAt",
    "Replica",
    "Room",
    "RoomClosed",
    "Sandbox",
    "Seen",
    "Shutdown",
    "When",
    "Wrong",
]

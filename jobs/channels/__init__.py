"""The ways in which a join link reaches a person: one room for each, behind one verb.

A channel is handed a delivery and brings it to its one address, once. It doesn't know when a link
goes stale, how often it was tried or whether another channel did better: that is the ledger's.
"""

from __future__ import annotations

from typing import Protocol

from jobs.model import Deliver, Delivered


class Channel(Protocol):
    """What every channel does."""

    async def deliver(self, step: Deliver) -> Delivered:
        """Hand the link over, once. Raises StepFailed; LOST when it may have arrived."""
        ...

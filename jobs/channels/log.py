"""The log as a channel: the line with the join link is the delivery.

It writes `event=link key participant url` to the logger `callboard.link` and nothing else; no
other line of the product carries a link. How lines look and where they go is set up elsewhere.
"""

from __future__ import annotations

import structlog

from jobs.errors import Reason, StepFailed
from jobs.model import Deliver, Delivered

LOGGER = "callboard.link"


class LogChannel:
    """Delivers by writing one line."""

    def __init__(self) -> None:
        self._log = structlog.get_logger(LOGGER)

    async def deliver(self, step: Deliver) -> Delivered:
        """Write the line. Raises StepFailed(BUSY) when that fails (a full disk, a closed pipe)."""
        participant = step.participant.id if step.participant else None
        try:
            self._log.info("link", key=step.key, participant=participant, url=step.url)
        except (OSError, ValueError) as error:
            raise StepFailed(Reason.BUSY, f"the log can't be written: {type(error).__name__}") from None
        return Delivered(step.address)

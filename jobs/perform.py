"""The one door of `jobs`: a step goes in, what came of it comes out.

Each step is done once, here and now, whether or not it should be: admission, order, retries and
what a failure leads to belong to whoever asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from jobs.channels import Channel
from jobs.errors import Reason, StepFailed
from jobs.model import Create, Deliver, Delivered, End, Inspect, Outcome, Sent, Step, Survey
from jobs.tavus.client import TavusClient

Perform = Callable[[Step, Sent], Awaitable[Outcome]]
"""Does one step, once. Raises StepFailed and, but for faults, nothing else."""


class Hands:
    """Performs steps at one Tavus account and a set of channels by name; each bounds its own tries."""

    def __init__(self, tavus: TavusClient, channels: Mapping[str, Channel]) -> None:
        self._tavus = tavus
        self._channels = channels

    async def perform(self, step: Step, sent: Sent) -> Outcome:
        """What came of the step. `sent` is called when a request to Tavus leaves (S17)."""
        match step:
            case Create():
                return await self._tavus.create(step.request, sent)
            case Inspect():
                return await self._tavus.inspect(step.conversation_id, sent)
            case End():
                return await self._tavus.end(step.conversation_id, sent)
            case Survey():
                return await self._tavus.survey(step, sent)
            case Deliver():
                return await self._deliver(step)

    async def _deliver(self, step: Deliver) -> Delivered:
        channel = self._channels.get(step.address.channel)
        if channel is None:
            raise StepFailed(Reason.REFUSED, f"no channel is called {step.address.channel}")
        return await channel.deliver(step)

"""Channels for houses in virtual time: one to the letter but without a wire, and one that hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from jobs.errors import Reason, StepFailed
from jobs.model import Deliver, Delivered
from scheduler.telemetry import Telemetry

GREY = StepFailed(Reason.BUSY, "450 4.2.0 greylisted")


class Office:
    """A channel that keeps what it is given, unless `trouble` says what goes wrong at that time."""

    def __init__(
        self, now: Callable[[], float], trouble: Callable[[float], StepFailed | None] = lambda _: None
    ) -> None:
        self.now = now
        self.trouble = trouble
        self.tried: list[tuple[float, Deliver]] = []
        self.taken: list[tuple[float, Deliver]] = []

    async def deliver(self, step: Deliver) -> Delivered:
        self.tried.append((self.now(), step))
        if (failed := self.trouble(self.now())) is not None:
            raise failed
        self.taken.append((self.now(), step))
        return Delivered(step.address)

    def letters(self) -> list[bytes]:
        """What was handed over, in order."""
        return [step.message or b"" for _, step in self.taken]


class Hanging(Office):
    """A channel whose other side does not answer before it is told to."""

    def __init__(self, now):
        super().__init__(now)
        self.answers = asyncio.Event()

    async def deliver(self, step):
        self.tried.append((self.now(), step))
        await self.answers.wait()
        return Delivered(step.address)


def down(since, until, failed=GREY):
    return lambda now: failed if since <= now < until else None


async def run(rig, text, until):
    async with rig.open(rig.config(text)) as daemon:
        await rig.until(daemon, until)
    rig.clean()
    return list(rig.records().values())


def tell(ledger):
    """Log lines, as the house writes them."""
    telemetry = Telemetry()

    def listen(batch):
        for note, before, after in batch:
            telemetry.fact(note.fact, before, after, note.took_s, note.at)

    ledger.listen(listen, lambda _: None)

"""Facts, requests and waits become numbers: what each one is counted as.

Told after the commit, by whoever listens there; it decides nothing and keeps nothing that the ledger
doesn't know. What is counted begins at 0 with the process, as Prometheus expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, ProcessCollector, generate_latest

from jobs.model import Create, Deliver, End, Inspect, Instant, Step, Survey
from scheduler.facts import EndedReason, Fact, Faulted, Stage
from scheduler.metrics.families import Families
from scheduler.metrics.readings import Reading, Readings
from scheduler.record import Delivery, DeliveryState, Record
from scheduler.vitals import Reload, Standing, Vitals

CONTENT_TYPE = CONTENT_TYPE_LATEST

OPERATIONS: Final[Mapping[type[Step], str]] = {
    Create: "create",
    Inspect: "inspect",
    End: "end",
    Survey: "list",
}
BROKEN: Final = (str(Stage.MISSED), str(Stage.FAILED), str(EndedReason.UNDELIVERED))


class Build(NamedTuple):
    """What runs here: versions of callboard, Python and the time zones."""

    version: str
    python: str
    tzdata: str


class Metrics:
    """All numbers of one process. `broken` counts promises that came to nothing: missed, failed, told to
    nobody."""

    def __init__(self, build: Build) -> None:
        self._families = Families()
        self._families.build.labels(*build).set(1)
        self._readings = Readings()
        self._families.registry.register(self._readings)
        ProcessCollector(registry=self._families.registry)
        for kind in BROKEN:  # from 0 on, so that the first one is seen to be one more
            self._families.broken.labels(kind)
        self.broken = 0

    # --- as it happens ---

    def fact(self, fact: Fact, before: Record, after: Record) -> None:
        """A fact about a record is committed."""
        if isinstance(fact, Faulted):
            self._families.faults.inc()
        if after.stage is not before.stage:
            self._came_to(after.schedule, after.stage, after.reason, 1)
        if before.created_at is None and after.lateness_s is not None:
            self._families.lateness.observe(after.lateness_s)
            if before.attempted_at is not None:
                self._families.wait.observe(max(0.0, before.attempted_at - before.starts_at))
        if after.deliveries is not before.deliveries:
            self._delivered(before, after)

    def closed(self, schedule: str, stage: str, reason: str, promises: int) -> None:
        """So many promises were over as they were written."""
        self._came_to(schedule, Stage(stage), reason, promises)

    def done(self, step: Step, result: str, took_s: float) -> None:
        """A step was tried: `result` is "ok", or the reason why it failed."""
        if isinstance(step, Deliver):
            self._families.tries.labels(step.address.channel, result).observe(took_s)
        else:
            self._families.requests.labels(OPERATIONS[type(step)], result).observe(took_s)

    def wrote(self, took_s: float) -> None:
        """A transaction of the ledger's is over; any thread may tell it."""
        self._families.writes.observe(took_s)

    def stalled(self, late_s: float) -> None:
        """A timer of the loop came so late."""
        self._families.stall.observe(late_s)

    def heartbeat(self, result: str) -> None:
        """A heartbeat was `sent`, `failed`, or `kept_back`."""
        self._families.heartbeats.labels(result).inc()

    def took_over(self) -> None:
        """This process leads from now on."""
        self._families.takeovers.inc()

    def sign_in_refused(self) -> None:
        """Somebody tried a wrong token."""
        self._families.refused.inc()

    def succeeded(self, schedule: str, at: Instant) -> None:
        """A link of this schedule was handed over."""
        self._families.success.labels(schedule).set(at)

    # --- when it is asked for ---

    def text(
        self, vitals: Vitals, reload: Reload, standing: Standing | None, free_bytes: int | None
    ) -> bytes:
        """Everything, as Prometheus reads it (`CONTENT_TYPE`)."""
        self._readings.now = Reading(vitals, reload, standing, free_bytes)
        return generate_latest(self._families.registry)

    def _came_to(self, schedule: str, stage: Stage, reason: str | None, promises: int) -> None:
        if stage is Stage.PLANNED:
            return  # back in line, as it was before
        self._families.occurrences.labels(schedule, str(stage), str(reason or "")).inc(promises)
        kind = str(reason if stage is Stage.ENDED else stage)
        if kind in BROKEN:
            self._families.broken.labels(kind).inc(promises)
            self.broken += promises

    def _delivered(self, before: Record, after: Record) -> None:
        was_open = {d.address for d in before.deliveries if d.state is DeliveryState.OPEN}
        for delivery in after.deliveries:
            if delivery.state is not DeliveryState.OPEN and delivery.address in was_open:
                self._settled(after.schedule, delivery)

    def _settled(self, schedule: str, delivery: Delivery) -> None:
        handed_over = delivery.state is DeliveryState.DELIVERED
        result = "delivered" if handed_over else str(delivery.reason)
        self._families.deliveries.labels(delivery.address.channel, result).inc()
        if handed_over and delivery.at is not None:
            self.succeeded(schedule, delivery.at)

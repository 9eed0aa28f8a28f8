"""The metrics that are counted as things happen: their names, words, labels and buckets.

Names follow Prometheus' conventions: base units, `_total` for what only grows. When each is counted is
`metrics`'; those that are only read when they are asked for stand in `readings`.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENESS_S: Final = (0.0, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
WAIT_S: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
ANSWER_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
SHORT_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

PROMISES = "Promises that came to this stage, for this reason."
BROKEN = "Promises that came to nothing: missed, failed, or told to nobody."
LATENESS = "How late after its due time a conversation was made; 0 is in time."
WAIT = "How long a promise that was open waited for its request: rate, concurrency, holds."
SUCCESS = "When a link of this schedule was last handed over."
REQUESTS = "Requests to the service, by what they were for and what came of them."
TRIES = "Tries to hand over a link, by channel and what came of them."
LINKS = "Links that were handed over, or given up for this reason."
FAULTS = "Unexpected exceptions that postponed something."
STALL = "How late a timer of the event loop came; one is looked at every 5 s."
WRITES = "One transaction of the ledger's writer, until it is on the disk."
TAKEOVERS = "Times that this process began to lead."
BEATS = "Heartbeats that were sent, failed, or were kept back."
REFUSED = "Sign-ins with a wrong token."


class Families:
    """One of each, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        build = ("version", "python", "tzdata")
        self.build = self._gauge("callboard_build_info", "Always 1; what runs here.", *build)
        self.occurrences = self._count("callboard_occurrences", PROMISES, "schedule", "stage", "reason")
        self.broken = self._count("callboard_promises_broken", BROKEN, "kind")
        self.lateness = self._spread("callboard_lateness_seconds", LATENESS, LATENESS_S)
        self.wait = self._spread("callboard_creation_wait_seconds", WAIT, WAIT_S)
        last = "callboard_schedule_last_success_timestamp_seconds"
        self.success = self._gauge(last, SUCCESS, "schedule")
        asked, tried = "callboard_request_duration_seconds", "callboard_delivery_duration_seconds"
        self.requests = self._spread(asked, REQUESTS, ANSWER_S, "operation", "result")
        self.tries = self._spread(tried, TRIES, ANSWER_S, "channel", "result")
        self.deliveries = self._count("callboard_deliveries", LINKS, "channel", "result")
        self.faults = self._count("callboard_faults", FAULTS)
        self.stall = self._spread("callboard_loop_stall_seconds", STALL, SHORT_S)
        self.writes = self._spread("callboard_ledger_transaction_seconds", WRITES, SHORT_S)
        self.takeovers = self._count("callboard_takeovers", TAKEOVERS)
        self.heartbeats = self._count("callboard_heartbeats", BEATS, "result")
        self.refused = self._count("callboard_sign_ins_refused", REFUSED)

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(name, words, labels, registry=self.registry)

    def _count(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, registry=self.registry)

    def _spread(self, name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, words, labels, buckets=buckets, registry=self.registry)

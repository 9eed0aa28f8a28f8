"""The metrics that are read when they are asked for: from the house's vitals and what the ledger holds.

A table of names, words and where each value stands. What nobody knows now is left out, as Prometheus would
have it, and nothing is remembered from one reading to the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.errors import Reason
from jobs.model import Instant
from scheduler.facts import MissReason
from scheduler.vitals import Reload, Standing, Vitals, WorkerState, unready

HOLDS: Final = (Reason.DENIED, Reason.SPENT, MissReason.CLOCK_HELD)
CHANNELS: Final = ("log", "mail", "webhook", "slack")


class Reading(NamedTuple):
    """All that is read at once; `standing` is `None` while the ledger can't be read."""

    vitals: Vitals
    reload: Reload
    standing: Standing | None
    free_bytes: int | None


_Value = Callable[[Reading], float | None]
_Values = Callable[[Standing, Instant], Mapping[str, float]]


def _of_ledger(value: Callable[[Standing], float]) -> _Value:
    return lambda reading: None if reading.standing is None else value(reading.standing)


def _of_workers(value: Callable[[Standing, Instant], float]) -> _Value:
    """Where several processes work on one ledger."""
    return lambda r: None if r.standing is None or r.vitals.crew is None else value(r.standing, r.vitals.at)


def _leads(reading: Reading) -> float | None:
    return None if reading.vitals.crew is None else reading.vitals.crew.leads


def _workers(standing: Standing) -> Mapping[str, float]:
    """By what they do; nothing where there is but one process."""
    if not standing.workers:
        return {}
    return {**dict.fromkeys(WorkerState, 0.0), **Counter(each.state for each in standing.workers)}


def _next_due(reading: Reading) -> float | None:
    written = reading.standing and reading.standing.next_due
    return min((at for at in (written, reading.vitals.next_due) if at), default=None)


def _ticked_at(reading: Reading) -> float | None:
    age_s = reading.vitals.tick_age_s
    return None if age_s is None else reading.vitals.at - age_s


GAUGES: Final[Mapping[str, tuple[str, _Value]]] = {
    "callboard_ready": (
        "1 while the house does its work, as /readyz has it.",
        lambda r: not any(unready(r.vitals)),
    ),
    "callboard_config_last_reload_successful": (
        "1 unless the last reading of the configuration was refused.",
        lambda r: r.reload.ok,
    ),
    "callboard_config_last_reload_success_timestamp_seconds": (
        "When the configuration in force was read.",
        lambda r: r.reload.at,
    ),
    "callboard_next_due_timestamp_seconds": ("When the next promise is due, if that is soon.", _next_due),
    "callboard_promises_waiting": (
        "Promises that are open and wait for their turn.",
        _of_ledger(lambda s: s.waiting),
    ),
    "callboard_outcomes_unknown": (
        "Promises whose answer was lost, and that are looked for.",
        _of_ledger(lambda s: s.unknown),
    ),
    "callboard_conversations_live": (
        "Conversations that are not known to be over.",
        _of_ledger(lambda s: s.live),
    ),
    "callboard_conversations_held": (
        "Places taken: being made, live, or strays that still run.",
        _of_ledger(lambda s: s.held),
    ),
    "callboard_conversations_cap": (
        "Places there are: concurrent_conversations less reserve.",
        lambda r: r.vitals.cap,
    ),
    "callboard_strays": ("Conversations of ours that no promise wants.", _of_ledger(lambda s: s.strays)),
    "callboard_requests_in_window": (
        "Requests that count against the rate now.",
        lambda r: r.vitals.counted,
    ),
    "callboard_requests_in_window_limit": (
        "Requests that the rate allows in its window.",
        lambda r: r.vitals.rate,
    ),
    "callboard_penalty_seconds": (
        "How long every request still waits because the account turned one away.",
        lambda r: r.vitals.penalty_s,
    ),
    "callboard_line_shut": (
        "1 while the account says that it is full, whatever we count.",
        lambda r: r.vitals.shut,
    ),
    "callboard_clock_step_seconds": (
        "How far the wall clock jumped and is not believed yet.",
        lambda r: r.vitals.clock_step_s,
    ),
    "callboard_alarm_last_tick_timestamp_seconds": ("When the alarm last ticked.", _ticked_at),
    "callboard_steps_in_hand": ("Requests and deliveries under way.", lambda r: r.vitals.in_hand),
    "callboard_leads": ("1 while this process leads the others, 0 while another one does.", _leads),
    "callboard_jobs_waiting": (
        "Steps that were decided and that no worker has taken yet.",
        _of_workers(lambda s, _: s.jobs_waiting),
    ),
    "callboard_oldest_job_age_seconds": (
        "How long the oldest of them has been waiting.",
        _of_workers(lambda s, now: s.behind_s(now)),
    ),
    "callboard_ledger_writable": (
        "1 unless the last turn could not write the ledger.",
        lambda r: r.vitals.writable,
    ),
    "callboard_ledger_readable": ("1 unless the ledger can't be read.", lambda r: r.standing is not None),
    "callboard_ledger_free_bytes": ("Room on the ledger's disk.", lambda r: r.free_bytes),
}
COUNTERS: Final[Mapping[str, tuple[str, Callable[[Vitals], float]]]] = {
    "callboard_alarm_ticks": ("Ticks of the alarm.", lambda v: v.ticks),
    "callboard_alarm_revivals": ("Times that the alarm had to be revived.", lambda v: v.revived),
    "callboard_turns": ("Turns of the daemon.", lambda v: v.turns),
}
LABELLED: Final[Mapping[str, tuple[str, str, _Values]]] = {
    "callboard_hold": (
        "1 while nothing is created, for this reason.",
        "reason",
        lambda s, _: {**dict.fromkeys(HOLDS, 0.0), **dict.fromkeys(s.holds, 1.0)},
    ),
    "callboard_workers": (
        "Processes on the ledger's list, by what they do.",
        "state",
        lambda s, _: _workers(s),
    ),
    "callboard_outbox_deliveries": (
        "Links that are not handed over yet.",
        "channel",
        lambda s, _: {
            **dict.fromkeys(CHANNELS, 0.0),
            **{name: box.waiting for name, box in s.outbox.items()},
        },
    ),
    "callboard_outbox_oldest_seconds": (
        "How long the oldest of them has been waiting.",
        "channel",
        lambda s, now: {
            **dict.fromkeys(CHANNELS, 0.0),
            **{name: max(0.0, now - box.since) for name, box in s.outbox.items()},
        },
    ),
}


class Readings(Collector):
    """Tells what `now` is, whenever the registry asks."""

    def __init__(self) -> None:
        self.now: Reading | None = None

    def collect(self) -> Iterable[Metric]:
        """All of the reading that was made last."""
        return () if self.now is None else _told(self.now)


def _told(reading: Reading) -> Iterator[Metric]:
    for name, (words, value) in GAUGES.items():
        found = value(reading)
        if found is not None:
            yield GaugeMetricFamily(name, words, found)
    for name, (words, count) in COUNTERS.items():
        yield CounterMetricFamily(name, words, count(reading.vitals))
    for name, (words, label, values) in LABELLED.items():
        by_label = values(reading.standing, reading.vitals.at) if reading.standing is not None else {}
        if by_label:
            family = GaugeMetricFamily(name, words, labels=(label,))
            for of, found in by_label.items():
                family.add_metric((str(of),), found)
            yield family

"""Facts as numbers: what each counts as, what is read when it is asked for, and that nobody is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jobs.errors import Reason
from jobs.model import ConversationRequest, Create, Deliver, Delivered, End, Ended, EndReason, Inspect, Survey
from scheduler.facts import Fact, Failed, Faulted, GaveUp, GiveUpReason, Missed, MissReason, StepKind
from scheduler.lifecycle import apply
from scheduler.metrics import Build, Metrics
from scheduler.record import Record
from scheduler.vitals import (
    TICKING_S,
    UNWRITABLE,
    Crewed,
    Outbox,
    Reload,
    Standing,
    Vitals,
    Worker,
    WorkerState,
    unready,
)
from tests.pure.lives import CREATED, LOG, MAIL, T0, creating, promise

WELL = Vitals(
    at=T0,
    begun=True,
    stopping=False,
    writable=True,
    clock_held=False,
    clock_step_s=0.0,
    tick_age_s=3.0,
    ticks=7,
    revived=1,
    turns=20,
    turned_at=T0 - 1,
    in_hand=2,
    cap=8,
    rate=60,
    counted=12,
    penalty_s=0.0,
    shut=False,
    next_due=T0 + 900,
)
BUSY = Standing(
    waiting=5,
    held=7,
    live=6,
    unknown=1,
    strays=2,
    next_due=T0 + 60,
    holds={"spent": T0 - 10},
    outbox={"mail": Outbox(3, T0 - 40)},
)
LEADING = replace(WELL, crew=Crewed("one:1", leads=True, others=1, away=False))
CREWED = BUSY._replace(
    workers=(
        Worker("one:1", "1.2.3", WorkerState.LEADS, T0 - 60, T0 - 0.4, 2),
        Worker("two:1", "1.2.3", WorkerState.WORKS, T0 - 50, T0 - 0.2, 3),
        Worker("two:0", "1.2.2", WorkerState.GONE, T0 - 90, T0 - 7, 0),
    ),
    jobs_waiting=12,
    oldest_job_at=T0 - 1.5,
)
RELOAD = Reload(ok=False, at=T0 - 100)
Found = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Build("1.2.3", "3.11.7", "2026f"))


def told(metrics: Metrics, standing: Standing | None = BUSY, vitals: Vitals = WELL) -> Found:
    text = metrics.text(vitals, RELOAD, standing, 1000).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Found, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def tell(metrics: Metrics, record: Record, *facts: Fact, at: float = T0) -> Record:
    for fact in facts:
        after = apply(record, fact, at, (LOG, MAIL))
        metrics.fact(fact, record, after)
        record = after
    return record


def test_a_promise_that_is_kept_is_counted_at_each_turn_of_its_life(metrics: Metrics) -> None:
    live = tell(metrics, creating(), CREATED, at=T0 + 1)
    tell(metrics, live, Delivered(MAIL), at=T0 + 2)
    tell(metrics, live, Ended(EndReason.LEFT), at=T0 + 60)
    found = told(metrics)
    count = "callboard_occurrences_total"
    assert value(found, count, schedule="practice", stage="live", reason="") == 1
    assert value(found, count, schedule="practice", stage="ended", reason="undelivered") == 1
    assert value(found, "callboard_lateness_seconds_bucket", le="0.0") == 0
    assert value(found, "callboard_lateness_seconds_bucket", le="1.0") == 1
    assert value(found, "callboard_creation_wait_seconds_sum") == 0
    assert value(found, "callboard_deliveries_total", channel="mail", result="delivered") == 1
    assert value(found, "callboard_deliveries_total", channel="mail", result="ended") == 1
    assert value(found, "callboard_promises_broken_total", kind="undelivered") == 1
    last = "callboard_schedule_last_success_timestamp_seconds"
    assert value(found, last, schedule="practice") == T0 + 2


def test_a_link_is_settled_once_and_its_tries_are_not(metrics: Metrics) -> None:
    live = tell(metrics, creating(), CREATED)
    failed = tell(metrics, live, Failed(StepKind.DELIVER, Reason.BUSY, "full", MAIL), at=T0 + 2)
    assert value(told(metrics), "callboard_deliveries_total", channel="mail", result="stale") is None
    gone = tell(metrics, failed, GaveUp(MAIL, GiveUpReason.STALE), at=T0 + 300)
    tell(metrics, gone, GaveUp(LOG, GiveUpReason.REFUSED), at=T0 + 301)
    found = told(metrics)
    assert value(found, "callboard_deliveries_total", channel="mail", result="stale") == 1
    assert value(found, "callboard_deliveries_total", channel="log", result="refused") == 1


@pytest.mark.parametrize(
    ("fact", "broken"),
    [(Missed(MissReason.NO_CAPACITY), 1), (Faulted("KeyError in x:1"), 0)],
)
def test_what_came_to_nothing_is_known_apart(metrics: Metrics, fact: Fact, broken: int) -> None:
    tell(metrics, promise(), fact)
    assert metrics.broken == broken
    assert value(told(metrics), "callboard_promises_broken_total", kind="missed") == broken
    assert value(told(metrics), "callboard_faults_total") == float(isinstance(fact, Faulted))


@pytest.mark.parametrize(("stage", "broken"), [("missed", 40), ("skipped", 0)])
def test_what_was_over_as_it_was_written_counts_by_promises(
    metrics: Metrics, stage: str, broken: int
) -> None:
    metrics.closed("practice", stage, "gap", 40)
    found = told(metrics)
    assert value(found, "callboard_occurrences_total", schedule="practice", stage=stage, reason="gap") == 40
    assert metrics.broken == broken


def test_requests_and_deliveries_are_told_by_what_came_of_them(metrics: Metrics) -> None:
    step = Deliver("key", None, MAIL, "https://link", T0)
    create = Create("key", ConversationRequest(persona_id="p"))
    for each in (create, Inspect("c"), End("c"), Survey("active", 1)):
        metrics.done(each, "ok", 0.2)
    metrics.done(End("c"), "busy", 3.0)
    metrics.done(step, "lost", 3.0)
    found = told(metrics)
    for operation in ("create", "inspect", "end", "list"):
        count = "callboard_request_duration_seconds_count"
        assert value(found, count, operation=operation, result="ok") == 1
    seconds = "callboard_request_duration_seconds_sum"
    assert value(found, seconds, operation="end", result="busy") == 3.0
    assert value(found, "callboard_delivery_duration_seconds_count", channel="mail", result="lost") == 1


def test_wrong_tokens_are_counted_from_nothing_on(metrics: Metrics) -> None:
    assert value(told(metrics), "callboard_sign_ins_refused_total") == 0
    metrics.sign_in_refused()
    assert value(told(metrics), "callboard_sign_ins_refused_total") == 1


def test_the_house_is_read_when_it_is_asked_for(metrics: Metrics) -> None:
    found = told(metrics)
    assert value(found, "callboard_build_info", version="1.2.3", python="3.11.7", tzdata="2026f") == 1
    read = {
        "callboard_ready": 1,
        "callboard_config_last_reload_successful": 0,
        "callboard_config_last_reload_success_timestamp_seconds": T0 - 100,
        "callboard_next_due_timestamp_seconds": T0 + 60,
        "callboard_conversations_held": 7,
        "callboard_conversations_cap": 8,
        "callboard_requests_in_window": 12,
        "callboard_alarm_last_tick_timestamp_seconds": T0 - 3,
        "callboard_alarm_ticks_total": 7,
        "callboard_ledger_free_bytes": 1000,
    }
    assert {name: value(found, name) for name in read} == read
    holds = {reason: value(found, "callboard_hold", reason=reason) for reason in ("denied", "spent")}
    assert holds == {"denied": 0, "spent": 1}
    assert value(found, "callboard_outbox_deliveries", channel="mail") == 3
    assert value(found, "callboard_outbox_oldest_seconds", channel="mail") == 40
    assert value(found, "callboard_outbox_oldest_seconds", channel="log") == 0


def test_workers_are_counted_by_what_they_do_and_none_where_there_is_one_process(metrics: Metrics) -> None:
    metrics.took_over()
    found = told(metrics, CREWED, LEADING)
    workers = {state: value(found, "callboard_workers", state=state) for state in WorkerState}
    assert workers == {"leads": 1, "works": 1, "gone": 1}
    read = {"leads": 1, "jobs_waiting": 12, "oldest_job_age_seconds": 1.5, "takeovers_total": 1}
    assert {name: value(found, f"callboard_{name}") for name in read} == read
    none = CREWED._replace(jobs_waiting=0, oldest_job_at=None)
    assert value(told(metrics, none, LEADING), "callboard_oldest_job_age_seconds") == 0
    alone = {name for name, _ in told(metrics)}
    assert not alone & {f"callboard_{name}" for name in ("workers", "leads", "jobs_waiting")}


def test_what_nobody_knows_is_left_out(metrics: Metrics) -> None:
    found = told(metrics, None, replace(WELL, next_due=None, tick_age_s=None))
    assert value(found, "callboard_ledger_readable") == 0
    for name in ("conversations_held", "next_due_timestamp_seconds", "alarm_last_tick_timestamp_seconds"):
        assert value(found, f"callboard_{name}") is None
    assert not any(name == "callboard_hold" for name, _ in found)


def test_nobody_is_named(metrics: Metrics) -> None:
    live = tell(metrics, creating(), CREATED, at=T0 + 1)
    tell(metrics, live, Delivered(MAIL), at=T0 + 2)
    metrics.done(Deliver(live.key, None, MAIL, "https://tavus.daily.co/c1", T0), "ok", 1.0)
    text = metrics.text(WELL, RELOAD, BUSY, None).decode()
    assert not [word for word in ("ana", "example.com", "2026-11-22", "daily.co", "c1") if word in text]


def test_a_house_that_does_its_work_is_ready() -> None:
    assert list(unready(WELL)) == []
    follows = Crewed("two:1", leads=False, others=1, away=False)
    assert list(unready(replace(WELL, crew=follows, begun=False))) == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"stopping": True}, "draining: it was told to stop"),
        ({"begun": False}, "starting: what was promised is not taken up yet"),
        ({"begun": False, "clock_held": True}, "the clock jumped, and is not believed yet"),
        ({"crew": Crewed("two:1", leads=False, others=0, away=False)}, "no worker leads"),
        ({"crew": Crewed("two:1", leads=True, others=1, away=True)}, "the database doesn't answer"),
        ({"writable": False}, UNWRITABLE),
        ({"tick_age_s": None}, "the alarm was not started"),
        ({"tick_age_s": TICKING_S + 1}, "the alarm has not ticked for 61 s"),
    ],
)
def test_one_that_does_not_says_why(changed: dict[str, object], reason: str, metrics: Metrics) -> None:
    vitals = replace(WELL, **changed)  # type: ignore[arg-type]
    assert list(unready(vitals)) == [reason]
    assert value(told(metrics, vitals=vitals), "callboard_ready") == 0

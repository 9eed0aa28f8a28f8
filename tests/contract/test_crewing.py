"""What a worker tells of itself among the others, on a PostgreSQL that goes away and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from scheduler.app.crewing import clock_for, crewed, told
from scheduler.app.observing import new_metrics
from scheduler.engine.shared import SharedCrew
from scheduler.ledger import Ledger, Place, place_of
from scheduler.ledger.connecting import connect
from scheduler.metrics import Metrics
from scheduler.telemetry import Telemetry
from scheduler.vitals import Reload
from tests.postgres import Server, served
from tests.pure.test_metrics import T0, WELL

Lines = list[Mapping[str, Any]]
PATIENCE_S = 60.0


@pytest.fixture
def own_server() -> Iterator[Server]:
    """One that this test may stop."""
    with served() as server:
        yield server


@asynccontextmanager
async def worker(place: Place, metrics: Metrics | None = None) -> AsyncIterator[SharedCrew]:
    """One on the list of this ledger; it carries nothing out."""
    clock = clock_for(place)
    await told(clock, place)
    ledger = Ledger.open(place, "http://127.0.0.1:9", clock.now())
    try:
        async with crewed(ledger, place, clock, Telemetry(), metrics or new_metrics()) as crew:
            assert isinstance(crew, SharedCrew)
            yield crew
    finally:
        ledger.close()


def events(lines: Lines) -> list[tuple[Any, ...]]:
    return [(line["event"], line.get("epoch"), line["log_level"]) for line in lines]


async def until(crew: SharedCrew, true: Callable[[], bool]) -> None:
    """Until this is so; it is looked at whenever the worker has something to tell."""
    changed = asyncio.Event()
    crew.listen(changed.set)
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await changed.wait()
            changed.clear()


async def test_who_begins_to_lead_and_who_no_longer_does_says_so(postgres: Server) -> None:
    place, metrics = place_of(postgres.new()), new_metrics()
    with capture_logs() as lines:
        async with worker(place, metrics) as one:
            await until(one, lambda: one.member.epoch == 1)
            async with worker(place) as two:
                await one.member.leave()
                await until(two, lambda: two.member.epoch == 2)
    assert events(lines) == [
        ("leading", 1, "info"),
        ("not_leading", 1, "info"),
        ("leading", 2, "info"),
        ("not_leading", 2, "info"),
    ]
    assert {line["worker"] for line in lines} == {one.member.crewed.name}  # one process, one name
    text = metrics.text(WELL, Reload(ok=True, at=T0), None, None).decode()
    found = {each.name: each for each in text_string_to_metric_families(text)}
    assert found["callboard_takeovers"].samples[0].value == 1


async def test_a_worker_that_is_taken_for_dead_is_named(postgres: Server) -> None:
    place = place_of(postgres.new())
    with capture_logs() as lines:
        async with worker(place) as one:
            await until(one, lambda: one.member.epoch == 1)
            raw = connect(place)
            raw.execute("INSERT INTO workers VALUES ('gone', 'east:7', '1.0', 0, 5, 3)")
            raw.close()
            one.member.act()
            one.member.lost((await one.led.jobs.reap(clock_for(place).now())).lapsed)
    assert [line for line in lines if line["event"] == "worker_lost"] == [
        {"event": "worker_lost", "worker": "east:7", "epoch": 1, "log_level": "warning"}
    ]


async def test_a_database_that_goes_away_and_comes_back_is_told_once_each(own_server: Server) -> None:
    place = place_of(own_server.url())
    with capture_logs() as lines:
        async with worker(place) as one:
            await until(one, lambda: one.member.epoch > 0)
            await asyncio.to_thread(own_server.stop)
            await until(one, lambda: one.member.away)
            assert one.member.crewed.away
            await asyncio.to_thread(own_server.start)
            await until(one, lambda: not one.member.away)
    about = [line["event"] for line in lines if line["event"].startswith("database")]
    assert about == ["database_away", "database_back"]

"""The writer: whoever waits for it gets an answer, whatever happens in its thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from scheduler.ledger import Place
from scheduler.ledger.connecting import connect
from scheduler.ledger.driver import Driver
from scheduler.ledger.errors import LedgerAway, LedgerError
from scheduler.ledger.writer import Writer
from tests.contract.ledger.world import Watched, at_once


class Killed(BaseException):
    """No ordinary failure."""


@pytest.fixture
def driver(place: Place) -> Iterator[Watched]:
    if isinstance(place, Path):
        place.touch()
    driver = Watched(connect(place))
    numbered = "INTEGER" if driver.dialect == "sqlite" else "SERIAL"
    driver.execute(f"CREATE TABLE done (id {numbered} PRIMARY KEY, what TEXT UNIQUE)")
    yield driver
    driver.close()


@pytest.fixture
async def writer(driver: Watched) -> AsyncIterator[Writer]:
    writer = Writer(driver)
    yield writer
    writer.close()


def job(what: str, error: BaseException | None = None):  # type: ignore[no-untyped-def]
    def run(driver: Driver) -> str:
        driver.execute("INSERT INTO done (what) VALUES (?)", (what,))
        if error is not None:
            raise error
        return what

    return run


def done(driver: Watched) -> list[str]:
    return [row[0] for row in driver.fetch("SELECT what FROM done ORDER BY id")]


async def test_jobs_run_in_their_order(writer: Writer, driver: Watched) -> None:
    names = [f"{n}" for n in range(50)]
    assert await at_once(driver, *(writer.submit(job(name)) for name in names)) == names
    assert done(driver) == names


async def test_one_failure_of_a_batch_is_its_own(writer: Writer, driver: Watched) -> None:
    jobs = [job("a"), job("b"), job("c", ValueError("c")), job("d"), job("b")]
    a, b, c, d, twice = await at_once(driver, *map(writer.submit, jobs))
    assert (a, b, type(c), d, type(twice)) == ("a", "b", ValueError, "d", LedgerError)
    assert done(driver) == ["a", "b", "d"]


async def test_jobs_that_share_run_as_one_as_far_as_nobody_stands_between(
    writer: Writer, driver: Watched
) -> None:
    def each_upper(driver: Driver, items: Sequence[str]) -> list[str]:
        driver.execute("INSERT INTO done (what) VALUES (?)", ("".join(items),))
        return [item.upper() for item in items]

    shared = [writer.share(each_upper, item) for item in "abcd"]
    told = await at_once(driver, writer.submit(job("x")), *shared[:3], writer.submit(job("y")), shared[3])
    assert told == ["x", "A", "B", "C", "y", "D"]
    assert done(driver) == ["x", "abc", "y", "d"]


@pytest.mark.parametrize("alone", [True, False])
async def test_what_is_no_ordinary_failure_reaches_all_of_its_batch(
    writer: Writer, driver: Watched, alone: bool
) -> None:
    others = [] if alone else [job("b"), job("c")]
    async with asyncio.timeout(10):
        first, *rest = await at_once(driver, *map(writer.submit, (job("a"), job("x", Killed()), *others)))
    assert (first, [type(each) for each in rest]) == ("a", [Killed] * (1 + len(others)))
    assert done(driver) == ["a"]
    assert await writer.submit(job("later")) == "later"


async def test_a_commit_that_is_killed_is_not_tried_again(writer: Writer, driver: Watched) -> None:
    driver.fail_at_commit = Killed()
    async with asyncio.timeout(10):
        results = await at_once(driver, *map(writer.submit, (job("a"), job("b"), job("c"))))
    assert [type(each) for each in results] == [Killed] * 3
    assert (done(driver), driver.commits) == ([], 0)


async def test_an_iterator_that_ran_out_is_told_too(writer: Writer) -> None:
    async with asyncio.timeout(10):
        with pytest.raises(RuntimeError):
            await writer.submit(job("a", StopIteration()))


async def test_closing_finishes_what_is_queued_and_takes_nothing_more(driver: Watched, place: Place) -> None:
    writer = Writer(driver)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(writer.submit(job(name))) for name in "abc"]
        await asyncio.sleep(0)
        writer.close()
    assert [task.result() for task in tasks] == ["a", "b", "c"]
    with pytest.raises(LedgerError, match="closed"):
        await writer.submit(job("d"))
    again = Watched(connect(place))
    assert done(again) == ["a", "b", "c"]
    again.close()


def test_a_loop_that_is_gone_stops_nobody(driver: Watched) -> None:
    """An answer for a loop that was closed is dropped; the next loop is served."""

    async def leave(writer: Writer) -> None:
        driver.gate.clear()
        task = asyncio.create_task(writer.submit(job("a")))
        assert await asyncio.to_thread(driver.waiting.wait, 10)
        task.cancel()

    writer = Writer(driver)
    asyncio.run(leave(writer))
    driver.gate.set()
    assert asyncio.run(writer.submit(job("b"))) == "b"
    assert done(driver) == ["a", "b"]
    writer.close()


async def test_who_only_reads_waits_for_no_writer_and_writes_nothing(
    writer: Writer, driver: Watched, place: Place
) -> None:
    other = connect(place)
    with other.transaction():
        async with asyncio.timeout(10):
            assert await writer.submit(lambda driver: driver.fetch("SELECT what FROM done"), reads=True) == []
    other.close()
    one, written = await at_once(
        driver, writer.submit(lambda driver: driver.fetch("SELECT 1"), reads=True), writer.submit(job("a"))
    )
    assert (one, written, done(driver)) == ([(1,)], "a", ["a"])


async def test_a_database_that_is_away_is_told_to_all_and_tried_for_none(
    writer: Writer, driver: Watched
) -> None:
    tried = []

    def away(driver: Driver) -> None:
        tried.append(driver)
        raise LedgerAway("gone")

    results = await at_once(driver, writer.submit(job("x")), *(writer.submit(away) for _ in range(3)))
    assert [type(each) for each in results] == [str, LedgerAway, LedgerAway, LedgerAway]
    assert len(tried) == 1

"""A small team's promises, and drivers that count, fail or stop: what the ledger's suite is made of."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from jobs.model import Address, ConversationRequest, Created, Participant, Properties
from scheduler.config import freeze
from scheduler.ledger import Ledger, Note
from scheduler.ledger.driver import Driver, Params
from scheduler.model import Days, Occurrence, Overlap, Schedule, When
from scheduler.record import Record

BASE_URL = "https://tavus.example"
DUE = 1_772_632_800.0
"""2026-03-04T14:00:00Z."""
OPENS, SHUTS = DUE - 30, DUE + 600
BIRTH = DUE - 3600
LOG, HOOK = Address("log"), Address("webhook", "https://hooks.example/x")
LINK = "https://tavus.example/secret-room"

only_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
"""For what only a file has."""


def occurrence(
    who: str | None,
    schedule: str = "coach",
    *,
    due: float = DUE,
    rank: int = 0,
    slot: str = "09:00",
    skip: str | None = None,
) -> Occurrence:
    return Occurrence(
        schedule, slot, "2026-03-04", who, due, due - 30, due + 600, rank, "America/New_York", skip
    )


def schedule(
    name: str = "coach", overlap: Overlap = Overlap.SKIP, call_s: int = 1800, private: bool | None = None
) -> Schedule:
    return Schedule(
        name=name,
        when=(When(Days(frozenset(range(7)), ()), "America/New_York"),),
        participants=(Participant("ana", "Ana"),),
        request=ConversationRequest(
            require_auth=private,
            properties=Properties(max_call_duration=call_s, participant_absent_timeout=300),
        ),
        overlap=overlap,
    )


SCHEDULES = {
    "coach": schedule(),
    "loose": schedule("loose", Overlap.ALLOW),
    "quiet": schedule("quiet", private=True),
}


async def promised(ledger: Ledger, *occurrences: Occurrence, now: float = BIRTH) -> list[str]:
    """Write these promises; their keys."""
    await ledger.promise(occurrences, SCHEDULES, now, None)
    return [each.key for each in occurrences]


async def claimed(ledger: Ledger, count: int, now: float = OPENS) -> list[str]:
    """Claim under some terms; the keys, in line."""
    generation = await ledger.generation(freeze({}), now)
    return [record.key for record in await ledger.claim(now, count, generation)]


def created(key: str, at: float = DUE, to: Sequence[Address] = (LOG,), conversation: str = "") -> Note:
    return Note(key, Created(conversation or f"c-{key}", LINK, at), at, tuple(to))


async def made_live(ledger: Ledger, *who: str) -> list[str]:
    """Promise, claim and create for these people."""
    keys = await promised(ledger, *(occurrence(each) for each in who))
    assert sorted(await claimed(ledger, len(who))) == sorted(keys)
    await ledger.note(*(created(key) for key in keys))
    return keys


async def have(ledger: Ledger, key: str) -> Record:
    found = await ledger.record(key)
    assert found is not None
    return found


async def outcome(work: Awaitable[object]) -> object:
    """What it returns, or what it raises."""
    try:
        return await work
    except BaseException as error:
        return error


async def at_once(driver: Watched, first: Awaitable[object], *rest: Awaitable[object]) -> list[object]:
    """The outcomes of `first`, during whose transaction all the others come in, and of those."""
    driver.gate.clear()
    driver.waiting.clear()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(outcome(first))]
        assert await asyncio.to_thread(driver.waiting.wait, 10)
        tasks += [group.create_task(outcome(each)) for each in rest]
        for _ in range(100):
            await asyncio.sleep(0)
        driver.gate.set()
    return [task.result() for task in tasks]


def same(record: Record) -> Record:
    """A record to be compared: rows of deliveries and strays come in the order of their keys."""
    return record._replace(
        deliveries=tuple(sorted(record.deliveries, key=lambda d: (d.address.channel, d.address.target))),
        strays=tuple(sorted(record.strays, key=lambda s: s.conversation_id)),
    )


@dataclass
class Watched:
    """A driver that counts its commits, waits at its gate before each transaction, and raises what it is
    told to where it is told to."""

    inner: Driver
    commits: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    waiting: threading.Event = field(default_factory=threading.Event)
    fail_at_commit: BaseException | None = None
    fail_at_next: list[BaseException | None] = field(default_factory=list)
    broken: dict[str, BaseException] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gate.set()

    def execute(self, sql: str, params: Params = ()) -> int:
        self._break(sql, params)
        return self.inner.execute(sql, params)

    def execute_many(self, sql: str, rows: Any) -> int:
        each = list(rows)
        for params in each:
            self._break(sql, params)
        return self.inner.execute_many(sql, each)

    def transaction(self) -> AbstractContextManager[None]:
        return self._gated(self.inner.transaction())

    def reading(self) -> AbstractContextManager[None]:
        return self._gated(self.inner.reading())

    @contextmanager
    def _gated(self, inner: AbstractContextManager[None]) -> Iterator[None]:
        self.waiting.set()
        assert self.gate.wait(10)
        with inner:
            yield
            error = self.fail_at_next.pop(0) if self.fail_at_next else self.fail_at_commit
            if error is not None:
                raise error
        self.commits += 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _break(self, sql: str, params: Params) -> None:
        """Raise what is planted for a statement that writes this text."""
        values = params.values() if isinstance(params, dict) else params
        for text, error in self.broken.items():
            if any(isinstance(value, str) and text in value for value in values) and "INSERT" in sql:
                raise error

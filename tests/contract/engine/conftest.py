"""Every engine on every ledger that it works on: a new one is a word in `ENGINES`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobs.tavus.sandbox import Plan, Sandbox
from scheduler.clock import Clock
from scheduler.ledger import place_of
from tests.contract.engine.world import House, World

ENGINES = ("embedded-sqlite", "embedded-postgresql", "shared-postgresql")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def world(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    kind, dialect = engine.split("-")
    file = tmp_path / "callboard.db"
    place = file if dialect == "sqlite" else place_of(request.getfixturevalue("postgres").new())
    sandbox = Sandbox(Clock().now, Plan(concurrent=1_000))
    async with sandbox.serving() as base_url:
        yield World(kind, place, sandbox, base_url)


@pytest.fixture
async def house(world: World) -> AsyncIterator[House]:
    async with world.open() as opened:
        yield opened

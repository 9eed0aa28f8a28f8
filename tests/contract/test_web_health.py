"""Health and numbers over HTTP: what is answered when all is well, and what when it isn't."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from scheduler.app.observing import new_metrics
from scheduler.clock import Clock
from scheduler.ledger import Ledger
from scheduler.metrics import CONTENT_TYPE
from scheduler.vitals import UNWRITABLE, Reload, Standing, Vitals
from scheduler.web import Health, Numbers, health_routes, numbers_routes
from tests.contract.web_world import door
from tests.pure.test_metrics import CREWED, LEADING, T0, WELL


class StoppedClock(Clock):
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def boot(self) -> float:
        return self.at


async def asked(url: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return answer.status, await answer.text(), answer.headers["Content-Type"]


def health(vitals: Vitals, *, writable: bool = True) -> Health:
    async def answers() -> bool:
        return writable

    return Health(lambda: vitals, answers)


@pytest.mark.parametrize("path", ["readyz", "healthz"])
@pytest.mark.parametrize(
    ("of", "reasons"),
    [
        (health(WELL), []),
        (health(WELL, writable=False), [UNWRITABLE]),
        (health(replace(WELL, writable=False)), [UNWRITABLE]),
        (health(replace(WELL, writable=False), writable=False), [UNWRITABLE]),
        (health(replace(WELL, stopping=True, tick_age_s=99.4)), ["draining", "not ticked for 99 s"]),
    ],
)
async def test_ready_or_why_not(path: str, of: Health, reasons: list[str]) -> None:
    async with door(*health_routes(of)) as at:
        status, text, _ = await asked(f"{at.url}/{path}")
        assert (await asked(f"{at.url}/livez"))[:2] == (200, "ok\n")
    told = json.loads(text)
    assert status == (503 if reasons else 200)
    assert told["ready"] is not bool(reasons)
    assert len(told["reasons"]) == len(reasons)
    assert all(some in each for some, each in zip(reasons, told["reasons"], strict=True))


@pytest.mark.parametrize("answers", [True, False])
async def test_of_several_workers_it_tells_who_leads_and_how_far_behind_they_are(answers: bool) -> None:
    """A ledger that can't be written is not waited for once more."""
    asked_for: list[Standing] = []

    async def standing() -> Standing:
        asked_for.append(CREWED)
        return CREWED

    async with door(*health_routes(replace(health(LEADING, writable=answers), standing=standing))) as at:
        told = json.loads((await asked(f"{at.url}/readyz"))[1])
    assert (told["ready"], told["worker"], told["leads"]) == (answers, "one:1", True)
    of_ledger = (told["leader"], told["workers"], told["behind_s"])
    assert of_ledger == (("one:1", ["one:1", "two:1"], 1.5) if answers else (None, None, None))
    assert len(asked_for) == answers


async def test_numbers_are_read_once_a_second_however_many_ask(tmp_path: Path) -> None:
    clock, vitals, seen = StoppedClock(), WELL, []

    def look() -> Vitals:
        seen.append(clock.at)
        return replace(vitals, turns=len(seen))

    path = tmp_path / "ledger.db"
    Ledger.open(path, "http://127.0.0.1:9", T0).close()
    numbers = Numbers(new_metrics(), path, clock, look, lambda: Reload(ok=True, at=T0))
    async with door(*numbers_routes(numbers)) as at:
        first = await asked(f"{at.url}/metrics")
        assert await asked(f"{at.url}/metrics") == first
        clock.at += 1.5
        later = await asked(f"{at.url}/metrics")
    assert first[2] == later[2] == CONTENT_TYPE
    assert "callboard_turns_total 1.0" in first[1] and "callboard_turns_total 2.0" in later[1]
    held = await numbers.standing()
    assert held is not None and held.held == 0 and len(seen) == 2
    assert "callboard_ledger_readable 1.0" in first[1] and "callboard_conversations_held 0.0" in first[1]


async def test_a_ledger_that_can_not_be_read_leaves_its_numbers_out(tmp_path: Path) -> None:
    path = tmp_path / "not-there" / "ledger.db"
    numbers = Numbers(new_metrics(), path, Clock(), lambda: WELL, lambda: Reload(ok=True, at=T0))
    async with door(*numbers_routes(numbers)) as at:
        status, text, _ = await asked(f"{at.url}/metrics")
    assert status == 200 and "callboard_ledger_readable 0.0" in text
    assert "callboard_conversations_held" not in text and "callboard_ledger_free_bytes" not in text

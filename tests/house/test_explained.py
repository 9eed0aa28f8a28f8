"""`explain` over what a house lived through: where the time went, in the words of who was late and why."""

from __future__ import annotations

import pytest

from scheduler.explaining import Explanation, Part
from scheduler.ledger.recalling import explained, known, newest
from scheduler.ledger.snapshot import Snapshot
from tests.house.teams import team

HOUR, MINUTE = 3600.0, 60.0


def told(rig, config, key: str) -> Explanation:
    with Snapshot.open(rig.place) as snapshot:
        return explained(snapshot, key, known(snapshot, config.schedules, config.account, rig.clock.now()))


def words(found: Explanation, part: Part) -> str:
    return next(link.words for link in found.chain if link.link is part)


def last(rig) -> str:
    return max(rig.records().values(), key=lambda r: r.created_at or 0.0).key


@pytest.mark.parametrize(
    ("account", "cause"),
    [
        ("requests: 100/s, concurrent_conversations: 2", "for a free conversation (2 in use, 2 allowed)"),
        ("requests: 2/min, concurrent_conversations: 50", "for the request rate (2 in 60 s)"),
    ],
)
async def test_who_waited_hears_for_what(rig, at, account, cause):
    """Four people for two rooms, or for two requests a minute."""
    config = rig.config(team(4, extra="start_window: 20m"), account)
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR + 20 * MINUTE)
    found = told(rig, config, last(rig))
    assert f"in line {cause}" in words(found, Part.CAPACITY)
    assert " late;" in found.said


async def test_what_is_to_come_is_told_with_who_else_is_due(rig, at):
    config = rig.config(team(4), "requests: 100/s, concurrent_conversations: 2")
    async with rig.open(config) as daemon:
        await rig.until(daemon, at)
    found = told(rig, config, "practice/08:00/2026-12-02/p001")
    assert words(found, Part.CAPACITY).startswith("3 others due in the same minute, room for 2 at once")
    assert found.said == "to come: written at 07:44:30, created from 07:59:30"


async def test_the_ledger_alone_knows_what_was_in_force_last(rig, at):
    config = rig.config(team(2))
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR)
    with Snapshot.open(rig.place) as snapshot:
        assert newest(snapshot) == config.schedules

"""Several workers on one ledger, as the page shows them."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp

from scheduler.ledger import place_of
from scheduler.ledger.connecting import connect
from scheduler.vitals import Crewed
from tests.contract.web.conftest import Browser
from tests.contract.web.world import NOW, World, opened
from tests.postgres import Server


async def test_several_workers_are_shown_with_who_leads_and_what_waits(
    tmp_path: Path, postgres: Server
) -> None:
    place = place_of(postgres.new())
    async with opened(tmp_path, token=None, place=place) as world, aiohttp.ClientSession() as session:
        anybody = Browser(session, world.url)
        raw = connect(place)
        worker = "INSERT INTO workers VALUES (?, ?, '1.0', ?, ?, ?)"
        raw.execute(worker, ("one", "east-7d:1", NOW - 3600, NOW + 4, 3))
        world.crew.append(Crewed("east-7d:1", leads=False, others=1, away=False))
        _, alone, _ = await anybody.get("/")
        raw.execute(worker, ("two", "<west>:1", NOW - 60, NOW + 4.5, 1200))
        raw.execute(worker, ("old", "north:1", NOW - 9000, NOW - 2, 0))
        raw.execute("UPDATE lead SET worker = 'two', until = ?", (NOW + 4.5,))
        job = "INSERT INTO jobs (kind, key, channel, target, lane, granted_at, not_after) VALUES"
        raw.execute(f"{job} ('ask', 'k', '', '', 0, ?, ?)", (NOW - 2, NOW + 9))
        raw.close()
        world.changes.ring()
        world.clock.at += 2
        _, text, _ = await anybody.get("/")
    assert 'id="workers"' not in alone
    shown = text.partition('id="workers"')[2].partition("</section>")[0]
    rows = [re.sub(r"<[^>]+>|\s+", " ", row) for row in shown.split("</tr>")[1:4]]
    for row, words in zip(
        rows, (["leads", "1,200"], ["east-7d:1", "this page", "works"], ["north:1", "gone"]), strict=True
    ):
        assert [word for word in words if word not in row] == []
    assert "&lt;west&gt;:1" in shown and "1 step waits for a worker, the oldest for 4 s" in shown


async def test_who_follows_does_not_guess_what_the_account_says(world: World, maria: Browser) -> None:
    """The limits are in the hands of the worker that leads."""
    world.crew.append(Crewed("two:1", leads=True, others=1, away=False))
    _, leading, _ = await maria.get("/account")
    world.crew.append(Crewed("two:1", leads=False, others=1, away=False))
    world.changes.ring()
    world.clock.at += 2
    _, following, _ = await maria.get("/account")
    assert "<b>7 of 60</b> requests" in leading and "Asked to wait" in leading
    assert "7 of 60" not in following and "Asked to wait" not in following
    assert "the worker that leads counts them" in following and "steps in hand of this worker" in following

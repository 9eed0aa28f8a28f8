"""Everything that a person can do, done with a mouse at a daemon that works, and told by its ledger."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.facts import Asked
from scheduler.ledger.snapshot import Filters, Snapshot
from tests.acceptance.browser.conftest import Eyes, sign_in
from tests.acceptance.processes import KEY, PERSONA, Sandbox, heard, sandbox, soon, started
from tests.acceptance.test_face import free_port

TOKEN = "let-me-in-0123456789"
LATER = "later/09:00/2099-01-01/ana"
MARIA = "Maria Vogel"

CONFIG = f"""\
version: 1
service: {{listen: "127.0.0.1:PORT", admin_token: {{env: TOKEN}}}}
account: {{base_url: "BASE", concurrent_conversations: 90, requests: 100/s}}
rosters:
  team: [{{id: ana, name: Ana Ruiz, timezone: UTC}}]
defaults: {{participants: [team], overlap: allow, {PERSONA}}}
schedules:
  coach: {{when: {{every: 2s}}, lead: 0s, start_window: 10m}}
  later: {{when: {{on: ["2099-01-01T09:00"], timezone: UTC}}}}
"""


@dataclass
class House:
    """A daemon at work, and its files."""

    url: str
    ledger: Path
    tavus: Sandbox

    async def soon(self, stage: str, reason: str | None = None, key: str | None = None) -> str:
        """The key of a record that comes to this stage."""

        def found() -> str | None:
            with Snapshot.open(self.ledger) as snapshot:
                rows = list(snapshot.records(Filters(stage=stage)))
            fit = (each.key for each in rows if reason in (None, each.reason) and key in (None, each.key))
            return next(fit, None)

        return str(await asyncio.to_thread(soon, found))

    async def held(self) -> None:
        """Wait for a hold."""

        def holds() -> object:
            with Snapshot.open(self.ledger) as snapshot:
                return snapshot.holds()

        await asyncio.to_thread(soon, holds)

    def asked(self, *keys: str) -> dict[str, tuple[str, str | None]]:
        """What people asked of these promises: who, and why."""
        with Snapshot.open(self.ledger) as snapshot:
            facts = [told.fact for key in keys for told in snapshot.story(key)]
        return {each.ask: (each.by, each.why) for each in facts if isinstance(each, Asked)}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with sandbox("--concurrent", "90") as tavus:
        file = tmp_path / "callboard.yaml"
        file.write_text(CONFIG.replace("BASE", tavus.base_url).replace("PORT", str(free_port())))
        with started("run", file, "--json", TAVUS_API_KEY=KEY, TOKEN=TOKEN) as process:
            yield House(heard(process, "ready")["listen"], tmp_path / "callboard.db", tavus)


@dataclass
class Maria:
    """Somebody at a page."""

    page: Any
    url: str

    async def at(self, path: str, link: str) -> None:
        """Go to this page and follow its link to a form."""
        await self.page.goto(self.url + path)
        await self.page.get_by_role("link", name=re.compile(f"^{link} ?…")).first.click()

    async def do(self, button: str, why: str, **fields: str) -> None:
        """Fill the form that is shown and send it: it is done."""
        await self.fill(button, why, **fields)
        assert "Done" in await self.page.locator("main").inner_text()

    async def fill(self, button: str, why: str, **fields: str) -> None:
        """Fill the form that is shown and send it."""
        for label, value in fields.items():
            await self.page.get_by_label(label.replace("_", " ")).fill(value)
        await self.page.get_by_label("Why").fill(why)
        await self.page.get_by_role("button", name=button).click()


@pytest.fixture
async def maria(house: House, eyes: Eyes) -> Maria:
    page = await eyes.page(768)
    await sign_in(page, house.url, TOKEN, MARIA)
    return Maria(page, house.url)


async def test_a_live_one_is_told_again_and_ended_and_one_to_come_is_skipped(
    house: House, maria: Maria
) -> None:
    live = await house.soon("live")
    await maria.at(f"/occurrence?key={live}", "Resend the link")
    await maria.do("Resend it", "she lost it")
    await maria.at(f"/occurrence?key={live}", "End")
    await maria.do("End it now", "a wrong room")
    assert await house.soon("ended", "by_us", live) == live
    assert house.asked(live) == {"resend": (MARIA, "she lost it"), "end": (MARIA, "a wrong room")}
    await maria.at(f"/occurrence?key={LATER}", "Skip")
    await maria.do("Skip it", "a holiday")


async def test_a_pause_its_end_and_a_make_up(house: House, maria: Maria) -> None:
    await maria.at("/person?id=ana", "Pause")
    in_a_year = (datetime.now(UTC) + timedelta(days=365)).strftime("%Y-%m-%dT08:00")
    await maria.do("Pause", "she is ill", Until=in_a_year)
    skipped = await house.soon("skipped", "paused")
    await maria.at("/", "Resume")
    await maria.do("Resume", "she is well")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    await maria.at(f"/occurrence?key={skipped}", "Make up")
    await maria.fill("Show what it would do", "for the pause", On_which_date=tomorrow, At_what_time="10:00")
    assert "What it would do" in await maria.page.locator("main").inner_text()
    assert house.asked(skipped) == {}
    await maria.page.get_by_role("button", name="Make it up").click()
    assert "Done" in await maria.page.locator("main").inner_text()
    await maria.at("/schedules", "Pause coach")
    await maria.do("Pause", "enough")
    await maria.at("/schedules", "Resume coach")
    await maria.do("Resume", "not enough")
    await maria.page.goto(f"{house.url}/account")
    happened = await maria.page.locator("main").inner_text()
    assert f"Paused: participant ana by {MARIA} (“she is ill”)" in happened
    assert f"Resumed: schedule coach by {MARIA} (“not enough”)" in happened


async def test_what_failed_is_tried_again_and_an_account_resumed(house: House, maria: Maria) -> None:
    house.tavus.arm(kind="status", operation="create", status=422)
    failed = await house.soon("failed")
    await maria.at(f"/occurrence?key={failed}", "Retry")
    await maria.do("Retry", "it is mended")
    assert house.asked(failed) == {"retry": (MARIA, "it is mended")}
    house.tavus.arm(kind="status", operation="create", status=402)
    await house.held()
    await maria.at("/account", "Resume the account")
    await maria.do("Resume", "it is paid")
    await maria.at("/schedules", "Reload")
    await maria.do("Reload", "an edit")

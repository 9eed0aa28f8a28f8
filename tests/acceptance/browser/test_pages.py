"""Every page as people see it: at three widths, by day and by night, with scripts and without."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobs.model import Ended, EndReason
from scheduler.ledger import Note
from tests.acceptance.browser.conftest import Eyes, sign_in, unfit
from tests.contract.web.world import LINK, NOW, TOKEN, World, morning, opened

KEY = "objection-handling/09:00/2026-11-30"
PAGES = {
    "Today": "/",
    "Next days": "/days",
    "Occurrences": "/occurrences",
    "objection-handling 09:00": f"/occurrence?key={KEY}/cleo",
    "objection-handling": f"/occurrence?key={KEY}/dev",
    "closing-deals afternoon": "/occurrence?key=closing-deals/afternoon/2026-12-01/ana",
    "People": "/people",
    "Ana Ruiz": "/person?id=ana",
    "Schedules": "/schedules",
    "Account": "/account",
    "Make up": f"/steer/make-up?key={KEY}/dev",
    "End the conversation": f"/steer/end?key={KEY}/ana",
    "Pause": "/steer/pause?breadth=all",
    "Not found": "/nowhere",
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as made:
        await morning(made.ledger, made.config)
        yield made


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(390, "light"), (390, "dark"), (768, "light"), (768, "dark"), (1280, "light"), (1280, "dark")],
)
async def test_every_page_fits_and_everybody_can_use_it(
    world: World, eyes: Eyes, width: int, scheme: str
) -> None:
    page = await eyes.page(width, scheme=scheme)
    await page.goto(world.url)
    assert await unfit(page) == []  # the sign-in
    await sign_in(page, world.url, TOKEN)
    for heading, path in PAGES.items():
        await page.goto(world.url + path)
        assert heading in await page.locator("h1").inner_text()
        assert await unfit(page) == [], path
    assert world.faults == []


async def test_an_empty_house_fits_too(tmp_path: Path, eyes: Eyes) -> None:
    nobody = "version: 1\naccount: {concurrent_conversations: 1}\nschedules: {}\n"
    async with opened(tmp_path, token=None, text=nobody) as world:
        page = await eyes.page(390)
        for path in ("/", "/days", "/occurrences", "/people", "/schedules", "/account"):
            await page.goto(world.url + path)
            assert await unfit(page) == [], path
        await page.goto(world.url)
        assert "Nothing is planned today" in await page.locator("main").inner_text()
        assert "Read only" in await page.locator("footer").inner_text()


async def test_everything_works_without_scripts(world: World, eyes: Eyes) -> None:
    page = await eyes.page(390, scripts=False)
    await sign_in(page, world.url, TOKEN)
    for heading, path in PAGES.items():
        await page.goto(world.url + path)
        assert heading in await page.locator("h1").inner_text()
    await page.goto(f"{world.url}/")
    await page.get_by_role("link", name="Occurrences").first.click()
    await page.get_by_label("State").select_option("live")
    await page.get_by_role("button", name="Show").click()
    assert await page.locator("tbody tr").count() == 2
    await page.get_by_role("row", name="Ana Ruiz").get_by_role("link", name="objection-handling").click()
    assert LINK in await page.locator("main").inner_text()
    await page.get_by_role("link", name="End").click()
    await page.get_by_label("Why").fill("a trial")
    await page.get_by_role("button", name="End it now").click()
    assert "so be it" in await page.locator("main").inner_text()
    await page.get_by_role("button", name="Sign out").click()
    assert "Sign in" in await page.locator("h1").inner_text()


async def test_a_page_changes_by_itself_and_keeps_the_readers_place(world: World, eyes: Eyes) -> None:
    page = await eyes.page()
    await sign_in(page, world.url, TOKEN)
    live = page.get_by_role("region", name="Live now")
    await live.get_by_role("link", name="Cleo Hart").focus()
    assert await live.locator("tbody tr").count() == 2
    await world.ledger.note(Note(f"{KEY}/ana", Ended(EndReason.LEFT, NOW), NOW))
    world.clock.at += 2
    world.changes.ring()
    await live.get_by_role("link", name="Ana Ruiz").wait_for(state="detached")
    assert await live.locator("tbody tr").count() == 1
    assert await page.evaluate("document.activeElement.tagName") == "A"


async def test_a_hostile_name_is_only_a_name(world: World, eyes: Eyes) -> None:
    page = await eyes.page()
    await sign_in(page, world.url, TOKEN)
    await page.goto(f"{world.url}/person?id=evil")
    assert await page.locator("h1").inner_text() == "<script>alert(1)</script>\"'&"
    assert await page.evaluate("document.scripts.length") == 1


async def test_the_keyboard_alone_is_enough(world: World, eyes: Eyes) -> None:
    page = await eyes.page()
    await sign_in(page, world.url, TOKEN)
    await page.goto(f"{world.url}/")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"

"""A real browser: Debian's Chromium, driven over its own protocol, with nothing of this machine's user in it.

Skipped where Chromium or its driver isn't installed; CI installs both.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
SERIOUS = ("serious", "critical")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say in one line why these tests can't run here."""
    reason = "no chromium on the path" if CHROMIUM is None else ""
    if find_spec("axe_playwright_python") is None:
        reason = "the browser's driver is not installed (pip install -e '.[browser]')"
    for item in items:
        if reason and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@dataclass
class Eyes:
    """A browser, and all that its pages complained of."""

    chromium: Any
    complaints: list[str] = field(default_factory=list)

    async def page(self, width: int = 1280, *, scheme: str = "light", scripts: bool = True) -> Any:
        """A new visitor at a window of this width."""
        context = await self.chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
        )
        context.set_default_timeout(15_000)
        page = await context.new_page()
        page.on("console", lambda told: self._heard(told.type, told.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "404 (Not Found)" not in text:
            self.complaints.append(text)


@pytest.fixture
async def eyes() -> AsyncIterator[Eyes]:
    """A browser of this test's own; nothing that it shows may complain."""
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        chromium = await driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        seen = Eyes(chromium)
        try:
            yield seen
        finally:
            await chromium.close()
    assert seen.complaints == []


async def sign_in(page: Any, url: str, token: str, name: str = "Maria Vogel") -> None:
    """Come in by the door."""
    await page.goto(f"{url}/sign-in")
    await page.get_by_label("Your name").fill(name)
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"{url}/")


async def unfit(page: Any) -> list[str]:
    """What axe finds serious, and whether the page is wider than its window."""
    from axe_playwright_python.async_playwright import Axe

    found = await Axe().run(page)
    faults = [
        f"{each['id']}: {each['help']} {[node['target'] for node in each['nodes']][:3]}"
        for each in found.response["violations"]
        if each["impact"] in SERIOUS
    ]
    too_wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [*faults, *([f"{too_wide} px too wide"] if too_wide > 0 else [])]

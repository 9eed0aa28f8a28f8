"""A world with a morning in it, and a browser's manners."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.contract.web.world import TOKEN, World, morning, opened


class Browser:
    """Sends what a browser sends: cookies, Accept, and Origin with every form."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url
        self.cookies: dict[str, str] = {}

    async def get(self, path: str, **headers: str) -> tuple[int, str, aiohttp.ClientResponse]:
        return await self._ask("GET", path, None, headers)

    async def post(
        self, path: str, form: dict[str, str] | bytes, **headers: str
    ) -> tuple[int, str, aiohttp.ClientResponse]:
        return await self._ask("POST", path, form, {"Origin": self.url, **headers})

    async def _ask(
        self, method: str, path: str, data: dict[str, str] | bytes | None, headers: dict[str, str]
    ) -> tuple[int, str, aiohttp.ClientResponse]:
        named = {name.replace("_", "-"): value for name, value in headers.items() if value}
        sent = {"Accept": "text/html", **named}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.session.request(
            method, self.url + path, data=data, headers=sent, allow_redirects=False
        ) as answer:
            for name, morsel in answer.cookies.items():
                self.cookies.pop(name, None)
                if morsel.value:
                    self.cookies[name] = morsel.value
            return answer.status, await answer.text(), answer

    async def sign_in(self, token: str = TOKEN, name: str = "Maria") -> int:
        status, _, _ = await self.post("/sign-in", {"name": name, "token": token, "next": "/"})
        return status

    async def csrf(self) -> str:
        """The token of the form in the frame of every page."""
        _, text, _ = await self.get("/account")
        return text.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as made:
        await morning(made.ledger, made.config)
        yield made


@pytest.fixture
async def browser(world: World) -> AsyncIterator[Browser]:
    """Somebody who has not signed in."""
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(session, world.url)


@pytest.fixture
async def maria(browser: Browser) -> Browser:
    """Somebody who has signed in."""
    assert await browser.sign_in() == 303
    return browser


@pytest.fixture
async def open_world(tmp_path: Path) -> AsyncIterator[World]:
    """A house without a token."""
    async with opened(tmp_path, token=None) as made:
        await morning(made.ledger, made.config)
        yield made


@pytest.fixture
async def anybody(open_world: World) -> AsyncIterator[Browser]:
    """A visitor of a house without a token."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Browser(session, open_world.url)

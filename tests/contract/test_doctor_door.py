"""What the doctor says of the page's door: free, taken by another program or by a callboard, not ours."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from scheduler.app.doctor.door import port
from scheduler.config import load
from scheduler.model import Config, Listen
from scheduler.web import Health, health_routes
from tests.contract.web_world import door
from tests.pure.test_metrics import WELL


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "callboard.yaml").write_text("version: 1\n")
    return load([tmp_path / "callboard.yaml"])


def listening_at(config: Config, host: str, port: int) -> Config:
    return replace(config, service=replace(config.service, listen=Listen(host, port)))


async def test_a_free_port_is_let_go_again(config: Config) -> None:
    assert [each.verdict for each in await port(config)] == ["skipped"]
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        served = listening_at(config, "127.0.0.1", other.getsockname()[1])
        (taken,) = await port(served)
    assert (taken.verdict, "in use by another program" in taken.said) == ("warning", True)
    for _ in range(2):
        assert [each.verdict for each in await port(served)] == ["ok"]


async def test_a_port_on_which_a_callboard_listens(config: Config) -> None:
    async def well() -> bool:
        return True

    async with door(*health_routes(Health(lambda: WELL, well))) as at:
        (ours,) = await port(listening_at(config, "127.0.0.1", int(at.url.rpartition(":")[2])))
    assert (ours.verdict, "a callboard listens" in ours.said) == ("ok", True)


async def test_an_address_that_is_not_ours(config: Config) -> None:
    (lost,) = await port(listening_at(config, "192.0.2.1", 8710))
    assert (lost.verdict, "127.0.0.1" in (lost.fix or "")) == ("failed", True)

"""The heartbeat: heard once a minute while promises are kept, and no longer; its URL is told nobody."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from jobs.tavus.sandbox import Fault
from scheduler.app.heartbeat import QUIET_S, Beat, Heartbeat, heartbeat_url
from scheduler.app.observing import new_metrics
from scheduler.model import SecretRef
from scheduler.settings import Secret, SettingsError
from scheduler.telemetry import Telemetry
from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0
PATH = "/ping/a-very-secret-path"


class Listener:
    """Whoever raises the alarm when it hears nothing."""

    def __init__(self) -> None:
        self.heard = 0
        self.status = 200
        self.url = ""

    async def ping(self, _: web.Request) -> web.Response:
        self.heard += 1
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})

    @asynccontextmanager
    async def listening(self):
        app = web.Application()
        app.router.add_get(PATH, self.ping)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
        try:
            yield self
        finally:
            await runner.cleanup()


@pytest.fixture
async def listener():
    async with Listener().listening() as listener:
        yield listener


@pytest.fixture
async def house(rig, listener):
    """A daemon that has taken up its work, and its heartbeat."""
    metrics = new_metrics()
    async with rig.open(rig.config(team(2, extra="start_window: 30m"))) as daemon:
        await rig.quiet(daemon)
        yield daemon, metrics, Heartbeat(Secret(listener.url, "x"), daemon, metrics, rig.clock, Telemetry())


async def test_it_beats_while_promises_are_kept(rig, at, listener, house):
    daemon, _, heart = house
    assert await heart.beat() is Beat.SENT
    await rig.until(daemon, at + 2 * HOUR)
    assert await heart.beat() is Beat.SENT
    assert listener.heard == 2


async def test_once_a_minute_whatever_ticks(rig, listener, house):
    _, _, heart = house
    start, heard = rig.clock.now(), []
    for tick in range(13):
        rig.clock.move(start + 15 * tick)
        heart.tick()
        heart.tick()
        await _idle(heart)
        heard.append(listener.heard)
    assert heard == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4]


async def _idle(heart):
    for _ in range(10_000):
        if not heart._busy:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never ended")


async def test_a_house_that_stops_beats_no_more(listener, house):
    daemon, _, heart = house
    daemon.stop()
    heart.tick()
    assert not heart._busy and listener.heard == 0


async def test_a_hold_keeps_it_back(rig, at, listener, house):
    daemon, _, heart = house
    rig.sandbox.faults.add(Fault(kind="status", status=401, count=None))
    await rig.until(daemon, at + HOUR + MINUTE)
    assert rig.holds() == ["denied"]
    assert await heart.beat() is Beat.KEPT_BACK
    rig.sandbox.faults.clear()
    await rig.until(daemon, at + HOUR + 6 * MINUTE)
    assert rig.holds() == []
    assert await heart.beat() is Beat.SENT
    assert listener.heard == 1


async def test_a_promise_that_came_to_nothing_is_a_quarter_of_an_hour_of_silence(rig, listener, house):
    _, metrics, heart = house
    assert await heart.beat() is Beat.SENT
    metrics.closed("practice", "missed", "late", 1)
    start = rig.clock.now()
    assert await heart.beat() is Beat.KEPT_BACK
    rig.clock.move(start + QUIET_S - 1)
    assert await heart.beat() is Beat.KEPT_BACK
    rig.clock.move(start + QUIET_S)
    assert await heart.beat() is Beat.SENT
    metrics.closed("practice", "skipped", "paused", 1)
    assert await heart.beat() is Beat.SENT


async def test_a_ledger_that_takes_nothing_keeps_it_back(listener, house):
    daemon, _, heart = house
    daemon.unwritable = True
    assert await heart.beat() is Beat.KEPT_BACK
    assert listener.heard == 0


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_trouble_is_told_once_by_its_host_and_its_end_too(status, listener, house):
    _, _, heart = house
    listener.status = status
    with capture_logs() as lines:
        assert [await heart.beat(), await heart.beat()] == [Beat.FAILED, Beat.FAILED]
        listener.status = 204
        assert [await heart.beat(), await heart.beat()] == [Beat.SENT, Beat.SENT]
    assert [(line["event"], line["host"]) for line in lines] == [
        ("heartbeat_failed", "127.0.0.1"),
        ("heartbeat_back", "127.0.0.1"),
    ]
    assert lines[0]["detail"] == f"it answered {status}"
    assert listener.heard == 4  # a redirect is not followed
    assert "secret" not in repr(lines)


async def test_nobody_there_is_told_without_the_url(rig, house):
    daemon, metrics, _ = house
    heart = Heartbeat(Secret(f"http://127.0.0.1:9{PATH}", "x"), daemon, metrics, rig.clock, Telemetry())
    with capture_logs() as lines:
        assert await heart.beat() is Beat.FAILED
    assert len(lines) == 1 and "secret" not in repr(lines)


def test_a_url_is_found_where_it_was_put(tmp_path):
    path = tmp_path / "ping"
    path.write_text("https://ping.example/x\n")
    path.chmod(0o600)
    assert heartbeat_url(SecretRef("file", str(path))).reveal() == "https://ping.example/x"
    assert heartbeat_url("https://ping.example/y").reveal() == "https://ping.example/y"


@pytest.mark.parametrize("bad", ["ping.example/secret", "http://ping.example/secret", "ftp://secret", ""])
def test_what_is_no_url_is_told_without_itself(tmp_path, bad):
    path = tmp_path / "ping"
    path.write_text(bad)
    with pytest.raises(SettingsError, match=r"service\.heartbeat: ") as raised:
        heartbeat_url(SecretRef("file", str(path)))
    assert "secret" not in str(raised.value)

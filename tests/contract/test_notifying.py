"""The supervisor's protocol on real datagram sockets: what it is told, and that it can't hold anybody up."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.alarm import Alarm
from scheduler.clock import Bell, Clock
from scheduler.notifying import LONGEST_STATUS, Notifier


@pytest.fixture(params=["path", "abstract"])
def supervisor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A socket as systemd opens it, and what `NOTIFY_SOCKET` says of it."""
    path = request.param == "path"
    address = str(tmp_path / "notify") if path else f"@callboard-test-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(address if path else f"\0{address[1:]}")
        door.setblocking(False)
        yield address, door


def heard(door: socket.socket) -> list[str]:
    return door.recv(4096).decode().split("\n")


def test_it_tells_what_systemd_knows(supervisor: tuple[str, socket.socket]) -> None:
    address, door = supervisor
    notifier = Notifier(address)
    notifier.ready("3 schedules")
    notifier.reloading(12.5)
    notifier.alive()
    notifier.stopping("draining: 2 in hand")
    assert heard(door) == ["READY=1", "STATUS=3 schedules"]
    assert heard(door) == ["RELOADING=1", "MONOTONIC_USEC=12500000"]
    assert heard(door) == ["WATCHDOG=1"]
    assert heard(door) == ["STOPPING=1", "STATUS=draining: 2 in hand"]


def test_a_status_is_one_short_line(supervisor: tuple[str, socket.socket]) -> None:
    address, door = supervisor
    Notifier(address).ready("refused\nWATCHDOG=trigger\r\n" + "x" * 1000)
    ready, status = heard(door)
    assert (ready, len(status)) == ("READY=1", len("STATUS=") + LONGEST_STATUS)
    assert status.startswith("STATUS=refused WATCHDOG=trigger x")


@pytest.mark.parametrize(
    "address", [None, "", "vsock:2:1234", "relative", "/no/such/socket", "/" + "x" * 300]
)
def test_nobody_need_listen(address: str | None) -> None:
    notifier = Notifier(address)
    notifier.ready("1 schedule")
    notifier.alive()


def test_a_supervisor_that_reads_nothing_holds_nobody_up(supervisor: tuple[str, socket.socket]) -> None:
    address, door = supervisor
    notifier = Notifier(address)
    for _ in range(5000):
        notifier.alive()
    told = 0
    while True:
        try:
            door.recv(64)
        except BlockingIOError:
            break
        told += 1
    assert 0 < told < 5000


async def test_the_watchdog_hears_of_ticks_and_of_nothing_else(
    supervisor: tuple[str, socket.socket],
) -> None:
    """The alarm's own tick pings; an alarm that is stopped, or a loop that doesn't turn, pings no more."""
    address, door = supervisor
    alarm = Alarm(Clock(), Bell(), tick_s=0.01)
    alarm.each_tick(Notifier(address).alive)
    alarm.start()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(10):
        for _ in range(3):
            assert await loop.sock_recv(door, 64) == b"WATCHDOG=1"
    alarm.stop()
    for _ in range(20):
        await asyncio.sleep(0)
    ticks = alarm.ticks
    while ticks > 3:
        door.recv(64)
        ticks -= 1
    with pytest.raises(BlockingIOError):
        door.recv(64)

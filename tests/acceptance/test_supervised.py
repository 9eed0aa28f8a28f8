"""The daemon under a supervisor: what systemd hears of a start, a reload, a bad file and a stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import KEY, PERSONA, Sandbox, heard, sandbox, started

GOOD = f"""\
version: 1
account: {{base_url: "BASE", concurrent_conversations: 5}}
schedules:
  coach:
    when: {{cron: "0 9 1 1 *", timezone: UTC}}
    {PERSONA}
"""


class Supervisor:
    """What stands behind `NOTIFY_SOCKET`."""

    def __init__(self, door: socket.socket, address: str) -> None:
        self._door = door
        self.address = address

    def hears(self) -> dict[str, str]:
        """The next datagram."""
        lines = self._door.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        address = str(tmp_path / "notify")
        door.bind(address)
        door.settimeout(60)
        yield Supervisor(door, address)


@pytest.fixture
def tavus() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


def test_it_is_told_of_each_turn_of_a_life(tavus: Sandbox, supervisor: Supervisor, tmp_path: Path) -> None:
    file = tmp_path / "callboard.yaml"
    good = GOOD.replace("BASE", tavus.base_url)
    file.write_text(good)
    with started("run", file, "--json", TAVUS_API_KEY=KEY, NOTIFY_SOCKET=supervisor.address) as house:
        assert supervisor.hears() == {"READY": "1", "STATUS": "schedules: 1"}
        heard(house, "ready")

        file.write_text(good.replace("cron", "corn"))
        house.send_signal(signal.SIGHUP)
        assert supervisor.hears()["RELOADING"] == "1"
        refused = supervisor.hears()
        assert refused["READY"] == "1"
        assert "reload refused" in refused["STATUS"]
        assert "callboard.yaml:5:" in refused["STATUS"]

        file.write_text(good)
        house.send_signal(signal.SIGHUP)
        reloading = supervisor.hears()
        assert (reloading["RELOADING"], int(reloading["MONOTONIC_USEC"]) > 0) == ("1", True)
        assert supervisor.hears() == {"READY": "1", "STATUS": "schedules: 1"}

        house.send_signal(signal.SIGTERM)
        assert supervisor.hears() == {"STOPPING": "1", "STATUS": "draining: 0 in hand"}
        assert house.wait() == 0


def test_a_start_that_fails_is_never_ready(supervisor: Supervisor, tmp_path: Path) -> None:
    (tmp_path / "callboard.yaml").write_text("version: 2\n")
    with started("run", tmp_path / "callboard.yaml", NOTIFY_SOCKET=supervisor.address) as house:
        assert house.wait() == 78
    supervisor._door.setblocking(False)
    with pytest.raises(BlockingIOError):
        supervisor.hears()

"""Telling the supervisor: ready, reloading, stopping, alive, and a line about how it goes.

systemd's own protocol (sd_notify(3)): assignments in a datagram to the socket that `NOTIFY_SOCKET` names, a
path or, with `@`, an abstract name. It is told and never asked: a supervisor that is gone, busy or absent
changes nothing here. What is worth telling, and when, is decided elsewhere.
"""

from __future__ import annotations

import socket
from contextlib import suppress

LONGEST_STATUS = 200
"""Characters; it is one line of `systemctl status`."""


class Notifier:
    """Speaks to the supervisor at `address`; without one it says nothing."""

    def __init__(self, address: str | None) -> None:
        self._address = _known(address)

    def ready(self, status: str) -> None:
        """Started, or done with reading the files again."""
        self._tell("READY=1", _status(status))

    def reloading(self, monotonic_s: float) -> None:
        """The files are being read again, since this moment of CLOCK_MONOTONIC; `ready` ends it."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={int(monotonic_s * 1e6)}")

    def stopping(self, status: str) -> None:
        """On the way out; what is in hand is finished first."""
        self._tell("STOPPING=1", _status(status))

    def alive(self) -> None:
        """A ping for the watchdog."""
        self._tell("WATCHDOG=1")

    def _tell(self, *assignments: str) -> None:
        if self._address is None:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.setblocking(False)
            door.sendto("\n".join(assignments).encode(), self._address)


def _known(address: str | None) -> str | None:
    """The address as the system takes it; of the kinds that there are, we speak paths and abstract names."""
    if address is None or not address.startswith(("/", "@")):
        return None
    return f"\0{address[1:]}" if address.startswith("@") else address


def _status(text: str) -> str:
    """One line, whatever it is made of: a line break would begin another assignment."""
    return f"STATUS={' '.join(text.split())[:LONGEST_STATUS]}"

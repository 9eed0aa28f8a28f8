"""What is this machine's own, by what is written."""

from __future__ import annotations

import pytest

from jobs.loopback import is_loopback


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.1.2.3", "::1"])
def test_this_machine_by_every_name(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "mail.example.com", "192.0.2.1", "localhost.example.com", "0.0.0.0", "::", "127.1", "2130706433"],
)
def test_every_other_one(host: str) -> None:
    assert not is_loopback(host)

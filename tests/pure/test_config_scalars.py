"""Single texts: what each kind of text takes, what it refuses, and which word was meant."""

from __future__ import annotations

import pytest

from scheduler.config.scalars import Misread, clock_time, duration, rate
from scheduler.config.suggest import distance, nearest
from scheduler.config.zones import zone
from scheduler.model import Rate


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("1h30m", 5400), ("45", 45), ("0", 0)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "1.5h", "-5s", "5 m", "1m1h", "90S", "٣s", "9" * 5000, "1d"])
def test_no_durations(text: str) -> None:
    with pytest.raises(Misread):
        duration(text)


@pytest.mark.parametrize("text", ["", "9", "9:0", "24:00", "09:60", "09:00:60", "09:00:00.5", "9am", "٠٩:٠٠"])
def test_no_times(text: str) -> None:
    with pytest.raises(Misread):
        clock_time(text)


@pytest.mark.parametrize("text", ["", "60", "0/s", "5/d", "5/", "/s", "-1/s", "1.5/s"])
def test_no_rates(text: str) -> None:
    with pytest.raises(Misread):
        rate(text)
    assert rate("500/h") == Rate(500, 3600.0)


NO_ZONES = [
    "EST",
    "GMT",
    "UTC+2",
    "+02:00",
    "CET",
    "PST8PDT",
    "localtime",
    "../etc",
    "/etc",
    "America",
    "utc",
    "",
]


@pytest.mark.parametrize(
    "text", [*NO_ZONES, "america/new_york", "x" * 5000, "\x00", "right/UTC", "posix/UTC"]
)
def test_no_zones(text: str) -> None:
    with pytest.raises(Misread):
        zone(text)
    assert zone("UTC") == "UTC" and zone("America/Argentina/Buenos_Aires")


def test_the_nearest_word() -> None:
    assert (distance("laed", "lead"), distance("lead", ""), distance("abc", "abd")) == (1, 4, 1)
    assert nearest("Start-Window", ["start_window", "spread"]) == "start_window"
    assert nearest("persona", ["replica_id", "persona_id"]) == "persona_id"
    assert nearest("x" * 1000, ["x"]) is None
    assert nearest("entirely_else", ["lead", "spread"]) is None

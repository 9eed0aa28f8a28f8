"""One canonical line for each step, links on the log channel's line only, the key nowhere."""

from __future__ import annotations

import io
import json
from contextlib import asynccontextmanager

import pytest
import structlog

from jobs.tavus.sandbox import Fault
from scheduler.app.channels import open_channels
from scheduler.app.house import house
from scheduler.app.observing import new_metrics
from scheduler.settings import LogStyle, Redaction, Secret
from scheduler.telemetry import Telemetry, configure
from tests.house.teams import team

MINUTE, HOUR = 60.0, 3600.0
KEY = "a-very-secret-key"
FIELDS = {"key", "schedule", "participant", "attempt"}
"""What every line about a record has; `reason` and `took` where there are any."""


@pytest.fixture
def stream():
    stream, secret = io.StringIO(), Secret(KEY, "the test")
    configure(LogStyle.JSON, stream, [secret], color=False)
    yield stream
    structlog.reset_defaults()


@asynccontextmanager
async def _open(rig, config):
    """The house as `run` opens it: its own listeners, its own hands."""
    key, redaction = Secret(KEY, "the test"), Redaction()
    async with open_channels(rig.clock.now, Telemetry(), redaction) as channels:
        await channels.use(config)
        async with house(config, rig.place, key, rig.clock, channels, new_metrics()) as daemon:
            yield daemon


def _lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_an_ordinary_call_makes_four_lines(rig, at, stream):
    async with _open(rig, rig.config(team(1))) as daemon:
        await rig.until(daemon, at + HOUR + 10 * MINUTE)
    lines = _lines(stream)
    events = [line["event"] for line in lines if line["event"] != "attempted"]
    assert [e for e in events if e != "still_live"] == ["created", "link", "delivered", "ended"]
    for line in lines:
        assert line["key"] == "practice/08:00/2026-11-30/p000"
        assert line["level"] == "info"
        if line["event"] != "link":
            assert line.keys() >= FIELDS
            assert (line["schedule"], line["participant"], line["attempt"]) == ("practice", "p000", 1)
    by_event = {line["event"]: line for line in lines}
    assert (by_event["created"]["stage"], by_event["created"]["lateness_s"]) == ("live", 0.0)
    assert (by_event["ended"]["stage"], by_event["ended"]["reason"]) == ("ended", "absent")
    assert all("took" in by_event[event] for event in ("created", "delivered", "ended"))
    assert by_event["link"].keys() == {"event", "key", "participant", "url", "level", "timestamp"}


async def test_exactly_one_line_for_each_step(rig, at, stream):
    async with _open(rig, rig.config(team(7))) as daemon:
        await rig.until(daemon, at + HOUR + 10 * MINUTE)
    events = [line["event"] for line in _lines(stream)]
    for step in ("created", "link", "delivered", "ended"):
        assert events.count(step) == 7
    asked = len(rig.asked("get"))
    assert events.count("still_live") + events.count("ended") == asked


async def test_links_stand_on_the_log_channels_line_only(rig, at, stream):
    """Through every kind of trouble: lost answers, strays, private rooms, refusals that repeat the body."""
    rig.sandbox.faults.add(Fault(kind="drop", operation="create", when="after", count=2))
    rig.sandbox.faults.add(Fault(kind="truncated", operation="create"))
    rig.sandbox.faults.add(
        Fault(kind="status", operation="create", status=400, body=f'{{"message": "{KEY}"}}')
    )
    rig.sandbox.faults.add(Fault(kind="list_lag", operation="list", count=None, seconds=45))
    rig.sandbox.faults.add(Fault(kind="status", operation="end", status=500, count=2))
    async with _open(rig, rig.config(team(8, body="require_auth: true"))) as daemon:
        await rig.until(daemon, at + HOUR + 10 * MINUTE)
    lines = stream.getvalue().splitlines()
    links = {record.url for record in rig.records().values() if record.url} | {
        room.url for room in rig.sandbox.rooms.values()
    }
    assert len(links) > 8
    for line in lines:
        if json.loads(line)["event"] != "link":
            assert not any(link in line for link in links)
            assert "/join/" not in line
            assert "eyJ" not in line, "a token"
    assert KEY not in stream.getvalue()
    assert any(json.loads(line)["event"] == "failed" for line in lines)


async def test_the_key_is_in_no_line_and_no_file(rig, at, stream):
    rig.sandbox.faults.add(Fault(kind="status", status=401, body=f'{{"message": "bad {KEY}"}}', count=3))
    async with _open(rig, rig.config(team(2))) as daemon:
        await rig.until(daemon, at + HOUR + 10 * MINUTE)
    assert KEY not in stream.getvalue()
    for path in rig.folder.iterdir():
        assert KEY.encode() not in path.read_bytes()


async def test_what_closes_without_a_call_is_told_too(rig, at, stream):
    """Missed in the line, missed at once after an absence, skipped, refused: a line with its reason each."""
    account = "requests: 100/s, concurrent_conversations: 1"
    config = rig.config(team(2, extra="start_window: 1m"), account)
    async with _open(rig, config) as daemon:
        await rig.until(daemon, at + HOUR + 10 * MINUTE)
    rig.clock.move(at + 3 * 24 * HOUR)
    async with _open(rig, config) as daemon:
        await rig.until(daemon, at + 3 * 24 * HOUR + MINUTE)
    missed = [line for line in _lines(stream) if line["event"] == "missed"]
    assert {line["level"] for line in missed} == {"warning"}
    one, *days = missed
    assert (one["reason"], one["participant"] is not None) == ("no_capacity", True)
    assert [(line["reason"], line["schedule"], line["promises"]) for line in days] == [
        ("late", "practice", 2),
        ("late", "practice", 2),
    ]


async def test_a_hold_makes_one_line_for_a_hundred_refusals(rig, at, stream):
    rig.sandbox.faults.add(Fault(kind="status", status=401, count=None))
    async with _open(rig, rig.config(team(100))) as daemon:
        await rig.until(daemon, at + HOUR + 12 * MINUTE)
    lines = _lines(stream)
    held = [line for line in lines if line["event"] == "held"]
    assert [(line["level"], line["reason"]) for line in held] == [("warning", "denied")]
    assert sum(line["event"] == "failed" for line in lines) == 100
    assert sum(line["event"] == "missed" for line in lines) == 100

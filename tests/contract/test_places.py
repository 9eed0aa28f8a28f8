"""A webhook's URL is a secret: wherever people look, they see its host, and of a mail its address."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner

from jobs.errors import Reason
from jobs.model import Address, Delivered
from scheduler.cli import commands
from scheduler.facts import Failed, GaveUp, GiveUpReason, StepKind
from scheduler.ledger import Ledger, Note
from scheduler.settings import LogStyle
from scheduler.telemetry import Telemetry, configure
from tests.contract.ledger.world import BASE_URL, BIRTH, DUE, LINK, claimed, created, occurrence, promised

HOOK = Address("webhook", "https://hooks.example.com:8443/canary-path?token=canary-query")
SLACK = Address("slack", "https://hooks.slack.com/services/T0/B0/canary")
MAIL = Address("mail", "ana@example.com")
ODD = Address("webhook", "hooks.example.com/canary")
BROKEN = Address("slack", "https://[canary")
TO = (Address("log"), MAIL, HOOK, SLACK, ODD, BROKEN)
PLACES = ["", "ana@example.com", "hooks.example.com", "hooks.slack.com", "", ""]


def test_all_mail_goes_one_way_and_each_post_its_own() -> None:
    assert MAIL.route == Address("mail", "ben@example.com").route
    assert (HOOK.route, SLACK.route, TO[0].route) == (HOOK, SLACK, TO[0])
    assert MAIL.route.place == ""


def test_the_place_of_an_address() -> None:
    assert [address.place for address in TO] == PLACES


@pytest.fixture
async def told(tmp_path: Path) -> tuple[Path, str]:
    """A ledger with a record that was told of through every channel, with every outcome; and its key."""
    path = tmp_path / "callboard.db"
    ledger = Ledger.open(path, BASE_URL, BIRTH)
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    await ledger.note(created(key, to=TO))
    for at, fact in enumerate(outcomes(), 1):
        await ledger.note(Note(key, fact, DUE + at))
    ledger.close()
    return path, key


def outcomes() -> Iterator[Failed | Delivered | GaveUp]:
    for address in TO:
        yield Failed(StepKind.DELIVER, Reason.BUSY, f"{address.place} answered 503", address)
        yield Delivered(address) if address in (MAIL, HOOK) else GaveUp(address, GiveUpReason.STALE)


@pytest.mark.parametrize(
    "words", [["ls"], ["ls", "--json"], ["ls", "--links"], ["explain"], ["explain", "--json"]]
)
async def test_no_command_shows_more_than_the_place(told: tuple[Path, str], words: list[str]) -> None:
    path, key = told
    which = [key] if words[0] == "explain" else []
    done = CliRunner().invoke(commands, [*words, *which, "--ledger", str(path)], standalone_mode=False)
    assert done.exception is None
    assert "canary" not in done.output
    assert (LINK in done.output) == ("--links" in words)
    assert all(place in done.output for place in PLACES)
    if words == ["ls", "--json"]:
        deliveries = json.loads(done.output)["deliveries"]
        assert {(each["channel"], each["address"]) for each in deliveries} == {
            (address.channel, address.place or None) for address in TO
        }


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure(LogStyle.JSON, stream, [], color=False)
    yield stream
    structlog.reset_defaults()


async def test_no_log_line_shows_more_than_the_host(told: tuple[Path, str], log: io.StringIO) -> None:
    path, key = told
    ledger = Ledger.open(path, BASE_URL, BIRTH)
    record = await ledger.record(key)
    ledger.close()
    assert record
    for fact in outcomes():
        Telemetry().fact(fact, record, record, None, DUE)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert "canary" not in log.getvalue()
    assert {(line["channel"], line.get("host")) for line in lines} == {
        ("log", None),
        ("mail", None),
        ("webhook", "hooks.example.com"),
        ("webhook", None),
        ("slack", "hooks.slack.com"),
        ("slack", None),
    }

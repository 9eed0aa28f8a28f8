"""The channels of a configuration: open by its secrets, swapped whole, discreet, silent in a rehearsal."""

from __future__ import annotations

import asyncio
import base64
import json
import os

import pytest
from structlog.testing import capture_logs

from jobs.channels.mail import Sink
from jobs.model import Address, Deliver
from scheduler.app.channels import open_channels
from scheduler.app.reloading import Reloading
from scheduler.clock import Bell, Clock
from scheduler.notifying import Notifier
from scheduler.settings import Redaction, SettingsError
from scheduler.telemetry import Telemetry
from tests.contract.mail_office import PASSWORD, office
from tests.house.teams import mailed, team

HOUR = 3600.0
URL = "https://hooks.example/T0/canary"
SIGNING = "whsec_" + base64.b64encode(bytes(range(32))).decode()
LETTER = b"Message-ID: <1@example.com>\r\n\r\nhello\r\n"
MAILED = mailed(1)


def smtp(port, more=""):
    server = f"{{host: 127.0.0.1, port: {port}, security: none{more}}}"
    return MAILED.replace("sink: unused", f"smtp: {server}")


def hooked(url=URL, secret="{env: DELIVERY_TEST_SECRET}"):
    return team(1, extra=f"deliver: [{{webhook: '{url}', secret: {secret}}}]")


def mail(message=LETTER, to="ana@example.com"):
    return Deliver("k/1", None, Address("mail", to), "https://x/join/1", 1e12, message)


async def _until(what):
    async with asyncio.timeout(10):
        while not what():
            await Clock().sleep_until(None, Bell(), 0.005)


@pytest.fixture
def redaction():
    return Redaction()


@pytest.fixture
async def channels(rig, redaction):
    async with open_channels(rig.clock.now, Telemetry(), redaction) as made:
        yield made


@pytest.fixture
def environ():
    """The variables of this process, as they were, afterwards."""
    before = dict(os.environ)
    yield os.environ
    os.environ.clear()
    os.environ.update(before)


async def test_without_anything_to_send_there_is_the_log(rig, channels):
    await channels.use(rig.config(team(1)))
    assert set(channels.by_name) == {"log", "webhook", "slack"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            smtp(587, ", username: u, password: {env: DELIVERY_TEST_NONE}"),
            "mail.smtp: DELIVERY_TEST_NONE is not",
        ),
        (hooked(), "deliver: webhook hooks.example: DELIVERY_TEST_SECRET is not set"),
    ],
)
async def test_a_secret_that_is_not_there_is_named_with_its_key_and_nothing_changes(
    rig, channels, text, says
):
    await channels.use(rig.config(MAILED))
    before = dict(channels.by_name)
    with pytest.raises(SettingsError, match=says) as caught:
        await channels.use(rig.config(text))
    assert channels.by_name == before
    assert "canary" not in str(caught.value)


async def test_a_secret_that_cannot_sign_is_refused_at_once(rig, channels, environ):
    environ["DELIVERY_TEST_SECRET"] = "too-short-to-sign"
    with pytest.raises(SettingsError, match=r"hooks\.example: its secret is not whsec_") as caught:
        await channels.use(rig.config(hooked()))
    assert "too-short" not in str(caught.value)


async def test_no_line_shows_a_password_a_signing_secret_or_a_url(rig, channels, redaction, environ):
    environ.update(DELIVERY_TEST_SECRET=SIGNING, DELIVERY_TEST_PASSWORD=PASSWORD)
    await channels.use(rig.config(smtp(25, ", username: u, password: {env: DELIVERY_TEST_PASSWORD}")))
    await channels.use(rig.config(hooked()))
    said = json.dumps({"password": PASSWORD, "secret": SIGNING, "url": URL})
    assert redaction(said) == '{"password": "[redacted]", "secret": "[redacted]", "url": "[redacted]"}'


async def test_a_reload_swaps_the_mail_server_and_what_is_under_way_ends_on_the_old_one(rig, channels):
    async with office() as old, office() as new:
        answered = asyncio.Event()

        async def thinking():
            await answered.wait()
            return "250 2.0.0 OK"

        old.says["DATA"] = [thinking]
        await channels.use(rig.config(smtp(old.port)))
        async with asyncio.TaskGroup() as group:
            first = group.create_task(channels.by_name["mail"].deliver(mail()))
            await _until(lambda: old.letters)
            await channels.use(rig.config(smtp(new.port)))
            await channels.by_name["mail"].deliver(mail())
            answered.set()
        assert first.result().address == mail().address
        await old.idle.wait()
        assert (len(old.letters), len(new.letters)) == (1, 1)
        await channels.use(rig.config(team(1)))
        await channels.by_name["mail"].deliver(mail())
        assert len(new.letters) == 2, "a link may still be on its way"


async def test_the_same_server_keeps_its_connections(rig, channels):
    async with office() as post:
        for _ in range(3):
            await channels.use(rig.config(smtp(post.port)))
            await channels.by_name["mail"].deliver(mail())
        assert post.opened == 1


async def test_in_a_rehearsal_nothing_leaves_and_no_secret_is_needed(rig, tmp_path):
    into = tmp_path / "letters"
    text = smtp(25, ", username: u, password: {env: DELIVERY_TEST_NONE}")
    text = text.replace("deliver: [mail]", f"deliver: [mail, {{webhook: '{URL}'}}, {{slack: '{URL}'}}]")
    async with open_channels(rig.clock.now, Telemetry(), Redaction(), into) as channels:
        await channels.use(rig.config(text))
        rig.channels = channels.by_name
        rig.compose = channels.compose
        async with rig.open(rig.config(text)) as daemon:
            await rig.until(daemon, rig.clock.now() + HOUR)
    assert sorted(file.suffix for file in into.iterdir()) == [".eml", ".json", ".json"]
    (record,) = rig.records().values()
    assert [d.state for d in record.deliveries] == ["delivered"] * 3


async def test_a_sink_of_ones_own_is_kept_in_a_rehearsal(rig, tmp_path):
    async with open_channels(rig.clock.now, Telemetry(), Redaction(), tmp_path / "not-here") as channels:
        await channels.use(rig.config(MAILED.replace("unused", "own")))
        assert isinstance(channels.by_name["mail"], Sink)
        await channels.by_name["mail"].deliver(mail())
    assert len(list((rig.folder / "own").iterdir())) == 1


async def test_a_reload_without_its_secret_changes_nothing_and_says_so(rig, channels, environ):
    """The new schedule is not in force before its webhook can be signed."""
    config = rig.config(team(1))
    await channels.use(config)
    async with rig.open(config) as daemon:
        args = ([rig.folder / "callboard.yaml"], config, daemon, Telemetry(), Notifier(None), channels)
        reloading = Reloading(*args, rig.clock.now)
        rig.config(hooked())
        with capture_logs() as lines:
            reloading.ring()
            await _until(lambda: lines)
        await rig.quiet(daemon)
        assert daemon.config.schedules == config.schedules
        environ["DELIVERY_TEST_SECRET"] = SIGNING
        reloading.ring()
        await _until(lambda: daemon.bell.take())
        await daemon.turn()
        assert daemon.config.schedules != config.schedules
    (line,) = lines
    assert (line["event"], line["log_level"]) == ("reload_refused", "warning")
    assert "hooks.example: DELIVERY_TEST_SECRET is not set" in line["first"]

"""The link on its way by mail and posts: what lives is delivered as it was frozen, what is dead is not sent
(S27, S28, S29)."""

from __future__ import annotations

import itertools
import random
import re
from email import message_from_bytes, policy

import pytest
from structlog.testing import capture_logs

from jobs.errors import LetterError, Reason, StepFailed
from tests.house.post import GREY, Office, down, run, tell
from tests.house.teams import mailed

MINUTE, HOUR = 60.0, 3600.0
HOOK = "{webhook: 'http://127.0.0.1:9/x'}"
URL = re.compile(rb"http://127\.0\.0\.1:\d+/join/\w+")


@pytest.fixture
def office(rig):
    """The mail server of this test."""
    rig.channels["mail"] = made = Office(rig.clock.now)
    return made


def links(message):
    """Every room that a message names, whatever it is encoded in."""
    if message.startswith(b"{"):
        return set(URL.findall(message))
    parts = message_from_bytes(message, policy=policy.default).walk()
    return {
        url for part in parts if not part.is_multipart() for url in URL.findall(part.get_payload(decode=True))
    }


def messages_kept(rig):
    connection = rig.driver(rig.place)
    found = connection.fetch("SELECT * FROM messages")
    connection.close()
    return found


# --- a link has a lifetime (S28) -------------------------------------------------------------------


@pytest.mark.parametrize(("absent", "end"), [("2m", "undelivered"), ("15m", None)])
async def test_greylisted_for_six_minutes(rig, at, office, absent, end):
    """Two minutes are too short for it: given up in time, ended and told. A quarter of an hour is not."""
    opens = at + HOUR - 30
    office.trouble = down(opens, opens + 6 * MINUTE)
    rig.listen = tell
    with capture_logs() as lines:
        (record,) = await run(rig, mailed(1, absent=absent), at + HOUR + 9 * MINUTE)
    waits = [round(b - a) for (a, _), (b, _) in itertools.pairwise(office.tried)]
    assert waits[:3] == [5, 15, 30]
    assert all(tried <= record.created_at + float(absent[:-1]) * 60 - 30 for tried, _ in office.tried)
    assert messages_kept(rig) == []
    if end is None:
        assert (record.stage, len(office.taken), rig.asked("end")) == ("live", 1, [])
        return
    assert (record.stage, record.reason, record.deliveries[0].reason) == ("ended", end, "stale")
    assert rig.asked("end") == [record.deliveries[0].at]
    (alert,) = [line for line in lines if line["event"] == "ended"]
    assert alert["log_level"] == "warning"
    assert "mail example.com stale" in alert["detail"]
    assert (record.url or "x") not in str(lines)


async def test_an_hour_without_mail_loses_nothing_alive_and_floods_nobody_afterwards(rig, at, office):
    """Slots every five minutes, links that live four: of the hour only the last ones are still alive."""
    times = [f'"{8 + n // 12:02}:{n % 12 * 5:02}"' for n in range(20)]
    back = at + 2 * HOUR
    office.trouble = down(at + HOUR - MINUTE, back)
    records = await run(rig, mailed(3, absent="4m", at=f"[{', '.join(times)}]"), at + 3 * HOUR)
    assert len(records) == 60
    for record in records:
        (delivery,) = record.deliveries
        in_time = delivery.not_after - MINUTE > back  # retries come a minute apart, at most
        if in_time:
            assert delivery.state == "delivered"
        elif delivery.not_after < back:
            assert (delivery.state, record.reason) == ("given_up", "undelivered")
    assert all(sent <= step.not_after for sent, step in office.taken)
    assert sum(back <= sent <= back + MINUTE for sent, _ in office.taken) == 3
    assert len({step.url for _, step in office.taken}) == len(office.taken)


async def test_a_late_start_sends_no_dead_link(rig, at, office):
    config = rig.config(mailed(4))
    office.trouble = down(0, at + HOUR)
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR - 20)
    rig.clock.move(at + HOUR + 10 * MINUTE)
    async with rig.open(config) as daemon:
        await rig.until(daemon, at + HOUR + 12 * MINUTE)
    assert office.taken == []
    assert {r.reason for r in rig.records().values()} == {"undelivered"}
    assert messages_kept(rig) == []
    rig.clean()


async def test_a_post_is_tried_five_times_and_one_that_was_told_by_mail_goes_on(rig, at, office):
    rig.channels["webhook"] = hook = Office(rig.clock.now, lambda _: StepFailed(Reason.LOST, "500"))
    text = mailed(1, deliver=f"[mail, {HOOK}]", absent="10m")
    (record,) = await run(rig, text, at + HOUR + 8 * MINUTE)
    began = hook.tried[0][0]
    assert [round(tried - began) for tried, _ in hook.tried] == [0, 5, 30, 120, 300]
    assert (record.stage, rig.asked("end"), len(office.taken)) == ("live", [], 1)
    assert {d.address.channel: d.reason for d in record.deliveries} == {"mail": None, "webhook": "exhausted"}


async def test_a_server_that_names_its_time_is_believed(rig, at, office):
    office.trouble = down(0, at + HOUR - 29, StepFailed(Reason.BUSY, "429", retry_after_s=77.0))
    await run(rig, mailed(1, absent="10m"), at + HOUR + 2 * MINUTE)
    assert [round(tried - office.tried[0][0]) for tried, _ in office.tried] == [0, 77]


# --- the same bytes (S27) --------------------------------------------------------------------------


async def test_what_is_sent_is_what_was_frozen_whatever_happens_meanwhile(rig, at, office):
    """Refused once; then other words and another sender are configured, and the house starts anew."""
    office.trouble = down(0, at + HOUR - 20)
    async with rig.open(rig.config(mailed(2, absent="10m"))) as daemon:
        await rig.until(daemon, at + HOUR - 25)
    other = mailed(2, absent="10m", extra="mail: {subject: Quite another}").replace("Practice <", "Other <")
    async with rig.open(rig.config(other)) as daemon:
        await rig.until(daemon, at + HOUR)
    by_person = {}
    for _, step in office.tried:
        by_person.setdefault(step.address.target, set()).add(step.message)
    assert [len(bytes_) for bytes_ in by_person.values()] == [1, 1]
    mails = [message_from_bytes(each, policy=policy.default) for each in office.letters()]
    assert {str(mail["To"]) for mail in mails} == {"P0 <p000@example.com>", "P1 <p001@example.com>"}
    assert {str(mail["From"]) for mail in mails} == {"Practice <practice@example.com>"}
    assert len({mail["Message-ID"] for mail in mails}) == 2


@pytest.mark.parametrize("seed", range(5))
async def test_a_person_gets_only_their_own_link(rig, at, office, seed):
    """Random rosters and slots, answers lost, mail that stutters: never another's room in a letter."""
    dice = random.Random(seed)
    size, slots = dice.randint(2, 12), dice.sample(["08:00", "08:01", "08:20", "08:40"], 3)
    quoted = ", ".join(f'"{slot}"' for slot in sorted(slots))
    office.trouble = lambda _: GREY if dice.random() < 0.4 else None
    rig.channels["webhook"] = posts = Office(rig.clock.now, office.trouble)
    text = mailed(size, deliver=f"[mail, {HOOK}]", absent="6m", at=f"[{quoted}]", extra="overlap: allow")
    records = {r.url: r for r in await run(rig, text, at + 2 * HOUR)}
    for _, step in (*office.tried, *posts.tried):
        assert links(step.message) == {step.url.encode()}
        own = records[step.url]
        assert (own.key, own.participant) == (step.key, step.participant.id)
        if step.address.channel == "mail":
            assert step.address.target == f"{own.participant}@example.com"
            assert message_from_bytes(step.message)["To"].endswith(f"<{step.address.target}>")
    assert len(office.taken) + sum(d.state != "delivered" for r in records.values() for d in r.deliveries
                                   if d.address.channel == "mail") == len(records)  # fmt: skip


@pytest.mark.parametrize("error", [LetterError("a hostile name"), KeyError("secret")])
async def test_a_letter_that_cannot_be_written_costs_its_own_address_and_nothing_else(rig, at, office, error):
    def compose(invitation, address, wording):
        if address.target == "p001@example.com":
            raise error
        return b"a letter"

    rig.compose = compose
    records = await run(rig, mailed(3, deliver="[mail, log]"), at + HOUR)
    states = {r.participant: [d.reason or str(d.state) for d in r.deliveries] for r in records}
    assert states["p001"] == ["delivered", "refused"]
    assert states["p000"] == states["p002"] == ["delivered", "delivered"]
    assert len(rig.sandbox.rooms) == 3
    assert "secret" not in str(rig.details("failed"))

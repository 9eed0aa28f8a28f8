"""Killed around DATA and commit, against a real mail server: nobody without a link or a reason, at most one
extra copy, and that with the same Message-ID (S16, S27)."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from email import message_from_bytes

import pytest

from jobs.channels.mail import MailChannel, Security, Server
from jobs.model import Deliver
from scheduler.ledger.connecting import connect
from tests.contract.mail_office import SENDER, office
from tests.house.conftest import Crash
from tests.house.deaths import Fuse, burning, crashed, wrapped
from tests.house.teams import mailed

MINUTE, HOUR = 60.0, 3600.0
PEOPLE = 3


@pytest.fixture
async def post(rig):
    """A mail server, and the house's channel to it."""
    async with office() as made:
        server = Server(host="127.0.0.1", port=made.port, security=Security.NONE)
        async with MailChannel(server, SENDER, connections=2, idle_s=0.0) as channel:
            rig.channels["mail"] = channel
            yield made


async def _survives(rig, at, post, restart_after_s=5.0, absent="2m"):
    config, end = rig.config(mailed(PEOPLE, absent=absent)), at + HOUR + 6 * MINUTE
    died = await crashed(rig, config, end)
    rig.wrap, rig.driver = (lambda perform: perform), connect
    post.says.clear()
    if died:
        rig.clock.move(rig.clock.now() + restart_after_s)
        assert not await crashed(rig, config, end)
    rig.clean()
    _right(rig, post)
    return died


def _right(rig, post):
    by_person = defaultdict(list)
    for _, recipient, letter in post.letters:
        by_person[recipient].append(letter)
    for record in rig.records().values():
        copies = by_person.pop(f"{record.participant}@example.com", [])
        (delivery,) = record.deliveries
        assert copies or (record.stage, record.reason) == ("ended", "undelivered"), "lost without a word"
        assert delivery.state == "delivered" or record.reason == "undelivered"
        assert len({message_from_bytes(copy)["Message-ID"] for copy in copies}) <= 1
        assert len(set(copies)) <= 1
        assert len(copies) <= 2, "more than one extra copy"
    assert not by_person, "a letter to nobody"


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("n", range(1, 9))
async def test_killed_at_an_outside_call(rig, at, post, n, before):
    rig.wrap = wrapped(Fuse(n), before)
    await _survives(rig, at, post)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("n", range(1, 40, 2))
async def test_killed_at_a_commit(rig, at, post, n, before):
    rig.driver = burning(Fuse(n), before)
    await _survives(rig, at, post)


class Killer:
    """Kills the house while the mail server is at the n-th such command, its answer unsaid."""

    def __init__(self, post, verb, nth):
        self.reached = asyncio.Event()
        self.left = nth
        post.says[verb] = self.said

    async def said(self):
        self.left -= 1
        if self.left == 0:
            self.reached.set()
            await asyncio.Event().wait()
        return "250 2.0.0 OK"

    def wrap(self, perform):
        async def performed(step, sent):
            if not isinstance(step, Deliver):
                return await perform(step, sent)
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch())
                outcome = await perform(step, sent)
                watch.cancel()
            return outcome

        return performed

    async def _watch(self):
        await self.reached.wait()
        raise Crash


@pytest.mark.parametrize("restart_after_s", [1.0, 200.0])
@pytest.mark.parametrize("nth", range(1, PEOPLE + 1))
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_killed_while_the_server_thinks(rig, at, post, verb, nth, restart_after_s):
    """At once after DATA the letter may come twice; when the link is dead it is not sent again."""
    rig.wrap = Killer(post, verb, nth).wrap
    assert await _survives(rig, at, post, restart_after_s)


async def test_an_answer_that_never_comes_means_the_same_letter_again(rig, at, post):
    """Silence after the final dot: maybe taken. It goes out again as it was, and is one delivery."""
    post.says["DATA"] = ["drop"] * PEOPLE
    async with rig.open(rig.config(mailed(PEOPLE, absent="10m"))) as daemon:
        await rig.until(daemon, at + HOUR)
    records = rig.records().values()
    assert {d.state for r in records for d in r.deliveries} == {"delivered"}
    assert sorted(Counter(letter for _, _, letter in post.letters).values()) == [2] * PEOPLE
    rig.clean()

"""Mail: few connections, in order, reused for a burst, left when idle; none that died costs a letter."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from jobs.channels.mail import Security, Server
from jobs.channels.mail.connection import Connection
from jobs.channels.mail.pool import Pool
from jobs.errors import Reason, StepFailed

from .mail_office import DROP, PATIENCE_S, SILENCE, Office, channel, delivered, failed, letter, office, step


def numbers(at: Office) -> list[int]:
    """Which letters arrived, in order."""
    return [next(n for n in range(1000) if f"<{n}@".encode() in message) for *_, message in at.letters]


async def test_a_burst_goes_over_as_many_connections_as_are_allowed_in_order() -> None:
    async with office() as at, channel(at.port, connections=3) as mail, asyncio.TaskGroup() as group:
        for n in range(30):
            group.create_task(delivered(mail, step(n)))
    assert sorted(numbers(at)) == list(range(30))
    assert (at.most_open, at.opened) == (3, 3)


async def test_one_connection_is_had_in_the_order_of_asking() -> None:
    async with office() as at, channel(at.port, connections=1) as mail, asyncio.TaskGroup() as group:
        for n in range(20):
            group.create_task(delivered(mail, step(n)))
    assert numbers(at) == list(range(20))
    assert at.opened == 1


async def test_waiting_for_a_connection_is_no_part_of_a_try() -> None:
    async with office() as at, channel(at.port, connections=1, try_s=0.5) as mail:
        at.says = {"RCPT": [SILENCE]}
        async with asyncio.TaskGroup() as group:
            silent = group.create_task(failed(mail, step(0)))
            for n in (1, 2, 3):
                group.create_task(delivered(mail, step(n)))
    assert silent.result().reason is Reason.BUSY
    assert numbers(at) == [1, 2, 3]


async def test_an_idle_connection_is_left_with_a_word() -> None:
    async with office() as at, channel(at.port, idle_s=0.01) as mail:
        await delivered(mail)
        async with asyncio.timeout(PATIENCE_S):
            await at.idle.wait()
        assert at.goodbyes == 1
        await delivered(mail)
    assert at.opened == 2


async def test_a_trickle_stays_on_one_connection_for_so_many_letters() -> None:
    async with office() as at, channel(at.port, letters_max=3) as mail:
        for n in range(7):
            await delivered(mail, step(n))
    assert (at.opened, at.most_open) == (3, 1)
    assert numbers(at) == list(range(7))


async def test_when_the_house_closes_every_connection_is_left() -> None:
    async with office() as at:
        async with channel(at.port) as mail, asyncio.TaskGroup() as group:
            for n in range(4):
                group.create_task(delivered(mail, step(n)))
        async with asyncio.timeout(PATIENCE_S):
            await at.idle.wait()
    assert at.goodbyes == 4


# --- connections that died while they waited ---------------------------------------------------------------


async def test_a_server_that_closed_an_idle_connection_costs_nothing() -> None:
    async with office() as at, channel(at.port) as mail:
        await delivered(mail, step(1))
        at.hang_up()  # not heard yet
        await delivered(mail, step(2))
    assert numbers(at) == [1, 2]
    assert at.opened == 2


@pytest.mark.parametrize("goodbye", ["421 4.4.2 enough for one connection", DROP])
@pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
async def test_a_goodbye_before_data_on_a_kept_connection_is_no_failure(verb: str, goodbye: str) -> None:
    async with office() as at, channel(at.port) as mail:
        await delivered(mail, step(1))
        at.says = {verb: [goodbye]}
        await delivered(mail, step(2))
    assert numbers(at) == [1, 2]
    assert at.opened == 2


async def test_a_goodbye_twice_is_a_failure_and_not_a_loop() -> None:
    async with office() as at, channel(at.port) as mail:
        await delivered(mail, step(1))
        at.says = {"MAIL": DROP}
        assert (await failed(mail, step(2))).reason is Reason.BUSY
    assert at.opened == 2


async def test_once_data_has_gone_out_nothing_is_sent_twice() -> None:
    async with office() as at, channel(at.port) as mail:
        await delivered(mail, step(1))
        at.says = {"DATA": [DROP]}
        assert (await failed(mail, step(2))).reason is Reason.LOST
    assert numbers(at) == [1, 2]
    assert at.opened == 1


async def test_a_server_that_restarted_costs_each_waiting_connection_once() -> None:
    async with office() as at, channel(at.port, connections=4) as mail:
        async with asyncio.TaskGroup() as group:
            for n in range(4):
                group.create_task(delivered(mail, step(n)))
        at.hang_up()
        async with asyncio.TaskGroup() as group:
            for n in range(4, 12):
                group.create_task(delivered(mail, step(n)))
    assert sorted(numbers(at)) == list(range(12))
    assert at.opened == 8


async def test_a_connection_known_to_be_dead_is_not_taken() -> None:
    async with office() as at:
        server = Server(host="localhost", port=at.port, security=Security.NONE)
        connection, later = Connection(server, None), Connection(server, None)
        await connection.open()
        pool = Pool(idle_s=60.0, letters_max=9)
        pool.keep(connection)
        at.hang_up()
        await later.open()  # what was on its way before has come
        assert pool.take() is None
        pool.keep(connection)
        assert pool.take() is None
        later.leave()


# --- a no to one letter, and being called off --------------------------------------------------------------


async def test_a_no_to_one_letter_keeps_the_connection() -> None:
    async with office() as at, channel(at.port) as mail:
        at.says = {"RCPT": ["550 5.1.1 no", "450 4.2.0 later"], "DATA": ["552 5.3.4 too big"]}
        for n in (1, 2, 3):
            with suppress(StepFailed):
                await mail.deliver(step(n))
        await delivered(mail, step(4))
    assert at.opened == 1
    assert at.heard.count("RSET") == 3
    assert at.letters[-1] == ("practice@example.com", "ana@example.com", letter(4))


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_delivery_that_is_called_off_spoils_no_other(verb: str) -> None:
    async with office() as at, channel(at.port, connections=1) as mail:
        reached = asyncio.Event()

        async def stuck() -> str:
            reached.set()
            await asyncio.Event().wait()
            return "never"

        at.says = {verb: [stuck]}
        async with asyncio.TaskGroup() as group:
            called_off = group.create_task(mail.deliver(step(1)))
            waiting = group.create_task(mail.deliver(step(2)))
            async with asyncio.timeout(PATIENCE_S):
                await reached.wait()
            called_off.cancel()
        assert waiting.done()
        assert numbers(at)[-1] == 2
        assert (at.opened, at.most_open) == (2, 1)

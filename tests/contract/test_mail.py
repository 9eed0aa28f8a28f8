"""Mail: what becomes of a letter by each answer, and each silence, of a mail server (S29)."""

from __future__ import annotations

import pytest

from jobs.channels.mail import MailChannel, Security, Server
from jobs.errors import Blame, Reason
from jobs.model import Address, Deliver

from .mail_office import (
    DROP,
    LINK,
    SENDER,
    SILENCE,
    channel,
    delivered,
    failed,
    letter,
    office,
    raw_office,
    step,
)

BUSY, REFUSED, LOST = Reason.BUSY, Reason.REFUSED, Reason.LOST
ADDRESS, SETUP = Blame.ADDRESS, Blame.SETUP


async def test_a_letter_arrives_as_it_is_from_and_to_bare_addresses() -> None:
    async with office() as at, channel(at.port) as mail:
        await delivered(mail)
    assert at.letters == [("practice@example.com", "ana@example.com", letter())]
    assert at.heard == ["MAIL", "RCPT", "DATA"]


@pytest.mark.parametrize(
    ("verb", "said", "reason", "blame"),
    [
        ("MAIL", "421 4.3.2 going down", BUSY, None),
        ("RCPT", "421 4.3.2 going down", BUSY, None),
        ("DATA", "421 4.3.2 going down", BUSY, None),
        ("RCPT", "450 4.2.0 greylisted, come back", BUSY, None),
        ("RCPT", "451 4.3.0 local trouble", BUSY, None),
        ("RCPT", "452 4.5.3 too many recipients", BUSY, None),
        ("DATA", "451 4.7.1 try later", BUSY, None),
        ("RCPT", "550 5.1.1 no such user", REFUSED, ADDRESS),
        ("RCPT", "550 no such user", REFUSED, ADDRESS),
        ("RCPT", "552 5.2.2 mailbox full", REFUSED, ADDRESS),
        ("RCPT", "554 5.7.1 relay access denied", REFUSED, SETUP),
        ("MAIL", "530 5.7.0 must log in first", REFUSED, SETUP),
        ("MAIL", "553 5.1.8 the sender's domain does not exist", REFUSED, SETUP),
        ("MAIL", "550 no", REFUSED, SETUP),
        ("DATA", "552 5.3.4 too big", REFUSED, SETUP),
        ("DATA", "552 too big", REFUSED, SETUP),
        ("DATA", "554 5.7.1 looks like spam", REFUSED, SETUP),
        ("MAIL", DROP, BUSY, None),
        ("RCPT", DROP, BUSY, None),
        ("DATA", DROP, LOST, None),
        ("DATA", "weird", LOST, None),
        ("RCPT", "weird", BUSY, None),
    ],
)
async def test_what_an_answer_to_a_letter_means(
    verb: str, said: str, reason: Reason, blame: Blame | None
) -> None:
    async with office() as at, channel(at.port) as mail:
        at.says = {verb: said}
        error = await failed(mail)
        assert (error.reason, error.blame) == (reason, blame)
        assert said[0] not in "45" or said[:9].rstrip(" abcdefghijklmnopqrstuvwxyz") in error.detail

        at.says = {}
        await delivered(mail)
        assert at.letters[-1][2] == letter(), "the next letter is whole"


@pytest.mark.parametrize(("verb", "reason"), [("MAIL", BUSY), ("RCPT", BUSY), ("DATA", LOST)])
async def test_silence(verb: str, reason: Reason) -> None:
    async with office() as at, channel(at.port, try_s=0.3) as mail:
        at.says = {verb: [SILENCE]}
        assert (await failed(mail)).reason is reason
        await delivered(mail)


@pytest.mark.parametrize(
    ("greeting", "answers", "blame"),
    [
        ("554 5.7.1 no mail from your network", {}, SETUP),
        ("421 4.3.2 too busy", {}, None),
        ("HTTP/1.1 400 Bad Request", {}, None),
        ("220 hello", {"EHLO": "421 no"}, None),
        ("220 hello", {"EHLO": "502 what?"}, SETUP),
        ("220 hello", {"EHLO": DROP}, None),
        ("220 hello", {"DATA": "451 4.3.0 no room"}, None),
    ],
)
async def test_a_server_that_will_not_begin(
    greeting: str, answers: dict[str, str], blame: Blame | None
) -> None:
    async with raw_office(answers, greeting) as (port, _), channel(port) as mail:
        error = await failed(mail)
    assert (error.reason, error.blame) == (BUSY, blame)


async def test_a_slow_banner() -> None:
    async with raw_office({}, None) as (port, heard), channel(port, try_s=0.1) as mail:
        assert (await failed(mail)).reason is BUSY
    assert heard == []


async def test_from_data_on_no_answer_may_mean_that_it_arrived() -> None:
    async with raw_office({"DATA": DROP}) as (port, _), channel(port) as mail:
        assert (await failed(mail)).reason is LOST


@pytest.mark.parametrize(
    "said", ["250 " + 100_000 * "x", "\r\n".join(10_000 * ["250-more"]), "\x00\xff" * 99]
)
async def test_an_answer_that_is_hostile_is_none_and_costs_nobody_memory_or_time(said: str) -> None:
    async with raw_office({"DATA": said}) as (port, _), channel(port) as mail:
        error = await failed(mail)
    assert (error.reason, error.detail) == (LOST, "the mail server's answer can't be read, at the letter")


async def test_nobody_is_at_home() -> None:
    async with office() as at:
        pass
    async with channel(at.port) as mail:
        error = await failed(mail)
    assert (error.reason, error.detail) == (BUSY, "the mail server refused the connection")


async def test_a_name_that_nobody_knows() -> None:
    server = Server(host="mail.invalid", security=Security.STARTTLS)
    async with MailChannel(server, SENDER, try_s=20.0) as mail:
        assert (await failed(mail)).reason is BUSY


# --- what letters are made of ----------------------------------------------------------------------------


@pytest.mark.parametrize("offered", [True, False])
async def test_an_international_address_needs_a_server_that_knows_them(offered: bool) -> None:
    async with office(enable_SMTPUTF8=offered) as at, channel(at.port) as mail:
        if offered:
            await delivered(mail, step(to="änne@example.com"))
            assert at.letters[0][1] == "änne@example.com"
        else:
            error = await failed(mail, step(to="änne@example.com"))
            assert (error.reason, error.blame) == (REFUSED, ADDRESS)
            assert "SMTPUTF8" in error.detail
            await delivered(mail)
            assert at.opened == 1


async def test_a_domain_in_another_script_goes_in_ascii() -> None:
    async with office() as at, channel(at.port) as mail:
        await delivered(mail, step(to="ana@bücher.example"))
    assert at.letters[0][1] == "ana@xn--bcher-kva.example"


async def test_a_body_of_eight_bits_is_announced() -> None:
    eight = letter(body="Übung")
    async with office() as at, channel(at.port) as mail:
        await delivered(mail, step(message=eight))
    assert at.letters[0][2] == eight
    async with raw_office({"EHLO": "250 no extensions"}) as (port, _), channel(port) as mail:
        assert (await failed(mail, step(message=eight))).reason is REFUSED


@pytest.mark.parametrize(
    "to", ["a b@example.com", "a@example.com>\r\nRSET", "a@example.com> SIZE=1", "\x00@x"]
)
async def test_an_address_that_is_no_address_says_nothing_to_the_server(to: str) -> None:
    async with office() as at, channel(at.port) as mail:
        error = await failed(mail, step(to=to))
        assert (error.reason, error.blame) == (REFUSED, ADDRESS)
        await delivered(mail)
    assert at.heard == ["MAIL", "RCPT", "DATA"]


async def test_without_a_letter_there_is_nothing_to_hand_over() -> None:
    async with office() as at, channel(at.port) as mail:
        bare = Deliver("k", None, Address("mail", "ana@example.com"), LINK, 0.0)
        assert (await failed(mail, bare)).reason is REFUSED
    assert at.opened == 0


# --- what servers write ------------------------------------------------------------------------------------


async def test_a_server_that_echoes_is_not_quoted() -> None:
    echo = f"550 5.1.1 <ana@example.com>: {LINK}\x1b and token-of-one-person \u202e" + " long" * 60
    async with raw_office({"RCPT": echo}) as (port, _), channel(port) as mail:
        error = await failed(mail)
    assert error.detail.startswith(
        "the mail server turned the recipient away: 550 5.1.1 [...] [...] and [...]"
    )
    assert error.detail.isprintable()
    assert len(error.detail) < 220
    async with office() as at, channel(at.port) as mail:
        at.says = {"DATA": "554 5.6.0 what does 'Your link' mean?"}
        assert (await failed(mail)).detail == "the mail server turned the letter away: 554 5.6.0"

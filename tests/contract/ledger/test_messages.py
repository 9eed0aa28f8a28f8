"""Frozen bytes (S27): there from the moment a delivery opens to the moment it closes, and nowhere else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.errors import Reason
from jobs.model import Address, Created, Delivered, Ended, EndReason
from scheduler.facts import Ask, Asked, Attempted, Failed, Found, GaveUp, GiveUpReason, StepKind, StrayFound
from scheduler.ledger import Ledger, LedgerUnavailable, Link, Note
from scheduler.ledger.audit import audit
from scheduler.ledger.due import LINKS_MAX
from scheduler.ledger.migrate import own
from scheduler.ledger.snapshot import Snapshot
from tests.contract.ledger.world import (
    BASE_URL,
    BIRTH,
    DUE,
    HOOK,
    LINK,
    LOG,
    OPENS,
    Watched,
    claimed,
    created,
    have,
    occurrence,
    only_sqlite,
    promised,
)

MAIL = Address("mail", "ana@example.com")
LETTER, POST = b"Subject: your room\r\n\r\n" + LINK.encode() + b"\xff\x00", b'{"link": "x"}'
GIVEN = {MAIL: LETTER, HOOK: POST}
TO = (LOG, MAIL, HOOK)

Raw = Callable[..., list[tuple[object, ...]]]


async def written(ledger: Ledger, key: str) -> dict[str, bytes | None]:
    """What is frozen for each of the three, by channel."""
    found = await ledger.outgoing([(key, to) for to in TO])
    return {each.address.channel: each.message for each in found}


async def opened(ledger: Ledger, note: Note | None = None) -> str:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    await ledger.note((note or created(key, to=TO))._replace(messages=GIVEN))
    return key


async def test_bytes_are_frozen_as_the_conversation_becomes_known(ledger: Ledger) -> None:
    key = await opened(ledger)
    assert await written(ledger, key) == {"log": None, "mail": LETTER, "webhook": POST}
    (mail,) = await ledger.outgoing([(key, MAIL)])
    assert (mail.record, mail.address) == (await have(ledger, key), MAIL)
    assert await ledger.outgoing([("coach/09:00/2026-03-04/zoe", LOG)]) == []


async def test_they_are_written_with_the_fact_or_not_at_all(
    ledger: Ledger, driver: Watched, raw: Raw
) -> None:
    driver.broken["created"] = LedgerUnavailable("no")
    with pytest.raises(LedgerUnavailable):
        await opened(ledger)
    assert raw("SELECT * FROM messages") == []


@pytest.mark.parametrize(
    "fact",
    [
        Delivered(MAIL),
        GaveUp(MAIL, GiveUpReason.STALE),
        Failed(StepKind.DELIVER, Reason.REFUSED, "550", MAIL),
        Ended(EndReason.LEFT),
    ],
)
async def test_they_go_when_the_delivery_is_closed(ledger: Ledger, raw: Raw, fact: object) -> None:
    key = await opened(ledger)
    await ledger.note(Note(key, Failed(StepKind.DELIVER, Reason.BUSY, "451", MAIL), DUE + 1))
    assert (await written(ledger, key))["mail"] == LETTER
    await ledger.note(Note(key, fact, DUE + 2))  # type: ignore[arg-type]
    assert (await written(ledger, key))["mail"] is None
    left = 0 if isinstance(fact, Ended) else 1
    assert len(raw("SELECT * FROM messages")) == left


async def test_a_lost_answer_that_is_found_has_its_bytes_too(ledger: Ledger) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    lost = Failed(StepKind.CREATE, Reason.LOST, "reset")
    found = Note(key, Found("c1", LINK, OPENS, True), OPENS + 5, TO, messages=GIVEN)
    await ledger.note(Note(key, lost, OPENS + 1), found)
    assert (await written(ledger, key))["mail"] == LETTER


async def test_what_opens_no_delivery_freezes_nothing(ledger: Ledger, raw: Raw) -> None:
    key = await opened(ledger)
    late = Note(key, Created("c2", LINK, DUE), DUE + 1, TO, messages={MAIL: b"another"})
    await ledger.note(late, Note(key, StrayFound("c3"), DUE + 1, TO, messages={MAIL: b"another"}))
    assert (await written(ledger, key))["mail"] == LETTER
    over = Note(key, Ended(EndReason.LEFT), DUE + 2, messages=GIVEN)
    await ledger.note(over)
    assert raw("SELECT * FROM messages") == []


async def test_no_fact_holds_them_and_the_audit_needs_none(
    ledger: Ledger, raw: Raw, snapshot: Callable[[], Snapshot]
) -> None:
    key = await opened(ledger)
    await ledger.note(Note(key, Delivered(MAIL), DUE + 1), Note(key, Delivered(HOOK), DUE + 1))
    assert LINK not in repr([json.loads(str(row[0])) for row in raw("SELECT data FROM facts")])
    with snapshot() as seen:
        assert audit(seen).faults == []


async def test_the_log_comes_first_then_what_dies_soonest_and_no_route_hides_another(ledger: Ledger) -> None:
    people = [f"p{n:03}" for n in range(6)]
    keys = await promised(ledger, *(occurrence(who) for who in people))
    await claimed(ledger, len(keys))
    mails = {key: Address("mail", f"{who}@example.com") for key, who in zip(keys, people, strict=True)}
    for n, key in enumerate(keys):
        await ledger.note(created(key, at=DUE - n, to=(mails[key], LOG)))
    links = (await ledger.look(DUE)).links
    assert [link.address.channel for link in links] == ["log"] * 6 + ["mail"] * 6
    assert [link.key for link in links] == keys[::-1] * 2
    assert links[-1] == Link(keys[0], mails[keys[0]], DUE + 270)


async def test_however_many_mails_wait_another_route_is_seen(ledger: Ledger) -> None:
    people = [f"p{n:03}" for n in range(LINKS_MAX + 10)]
    keys = await promised(ledger, *(occurrence(who) for who in people))
    await claimed(ledger, len(keys))
    mail, *hooked = keys[:-2], *keys[-2:]
    await ledger.note(*(created(key, to=(Address("mail", f"{key}@example.com"),)) for key in mail))
    await ledger.note(created(hooked[0], to=(HOOK,)), created(hooked[1], to=(Address("slack", HOOK.target),)))
    links = (await ledger.look(DUE)).links
    assert len(links) == LINKS_MAX + 2
    assert {link.key for link in links if link.address.channel != "mail"} == set(hooked)


# --- a ledger of the version before ----------------------------------------------------------------


@only_sqlite
async def test_an_old_ledger_is_brought_up_and_goes_on(path: Path, raw: Raw) -> None:
    known = sorted((own() / "sqlite").iterdir(), key=lambda file: file.name)
    old = sqlite3.connect(path)
    old.executescript(f"{known[0].read_text()} PRAGMA user_version = 1;")
    old.close()
    ledger = Ledger.open(path, BASE_URL, BIRTH)
    key = await opened(ledger)
    assert (await written(ledger, key))["mail"] == LETTER
    assert raw("PRAGMA user_version") == [(int(known[-1].name[:4]),)]
    ledger.close()


async def test_a_fact_of_an_older_version_is_still_read(
    ledger: Ledger, raw: Raw, snapshot: Callable[[], Snapshot]
) -> None:
    """Before deliveries went side by side, failures told less."""
    key = await opened(ledger)
    old = '{"step":"deliver","reason":"busy","detail":"full","address":["log",""]}'
    raw("INSERT INTO facts (key, at, kind, data) VALUES (?, ?, 'failed', ?)", key, DUE + 1, old)
    raw("INSERT INTO facts (key, at, kind, data) VALUES (?, ?, 'faulted', ?)", key, DUE, '{"detail":"x"}')
    with snapshot() as seen:
        story = [told.fact for told in seen.story(key)]
    assert story[2] == Failed(StepKind.DELIVER, Reason.BUSY, "full", LOG)
    assert isinstance(story[0], Attempted)


async def test_a_delivery_that_is_closed_and_opened_again_at_once_has_its_newer_bytes(ledger: Ledger) -> None:
    key = await opened(ledger)
    again = Note(key, Asked(Ask.RESEND, "ana"), DUE + 2, TO, messages={MAIL: b"anew"})
    await ledger.note(Note(key, Delivered(MAIL), DUE + 1), again)
    assert await written(ledger, key) == {"log": None, "mail": b"anew", "webhook": POST}
    await ledger.note(again._replace(at=DUE + 3), Note(key, Delivered(MAIL), DUE + 4))
    assert (await written(ledger, key))["mail"] is None

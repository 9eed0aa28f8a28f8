"""Texts that nobody asked for: what a person or a service may send is kept, and read as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs.errors import Reason
from jobs.model import Address
from scheduler.desk import Asker, Breadth, Scope
from scheduler.facts import Failed, StepKind, StrayFound
from scheduler.ledger import Ledger, Note
from scheduler.ledger.snapshot import Snapshot
from tests.contract.ledger.world import BIRTH, DUE, OPENS, claimed, created, have, occurrence, promised

ANYWHERE = [
    "",
    "a\0b",
    "\0",
    "\ufdd0",
    "\ufdd00000",
    "\\u0000",
    "100%s %(x)s :name ?1",
    '"{,}\\',
    "é\U0001f600",
]
IN_JSON = [*ANYWHERE, "\ud800", "\udc00x\udbff", "\\ud800", '"}', "\\\0"]


@pytest.mark.parametrize("text", ANYWHERE)
async def test_a_text_comes_back_as_it_was(ledger: Ledger, text: str) -> None:
    asker = Asker("ana", text)
    await ledger.steering.pause(Scope(Breadth.SCHEDULE, f"x{text}"), None, asker, BIRTH)
    (pause,) = await ledger.steering.pauses(BIRTH)
    assert (pause.scope.name, pause.why) == (f"x{text}", text)
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    to = Address("webhook", f"https://hook/{text}")
    await ledger.note(created(key, to=(to,), conversation=f"c{text}")._replace(messages={to: text.encode()}))
    await ledger.note(Note(key, StrayFound(f"s{text}"), DUE))
    record = await have(ledger, key)
    assert (record.conversation_id, record.deliveries[0].address) == (f"c{text}", to)
    assert record.strays[0].conversation_id == f"s{text}"
    (outgoing,) = await ledger.outgoing([(key, to)])
    assert outgoing.message == text.encode()


@pytest.mark.parametrize("text", IN_JSON)
async def test_what_a_fact_says_comes_back_and_is_counted(
    ledger: Ledger, snapshot: Callable[[], Snapshot], text: str
) -> None:
    (key,) = await promised(ledger, occurrence("ana"))
    await claimed(ledger, 1)
    fact = Failed(StepKind.CREATE, Reason.BUSY, text)
    await ledger.note(Note(key, fact, OPENS))
    await ledger.note(Note(key, Failed(StepKind.DELIVER, Reason.BUSY, text), OPENS))
    with snapshot() as seen:
        assert seen.story(key)[1].fact == fact
        assert [told.fact for told in dict(seen.stories())[key]] == [t.fact for t in seen.story(key)]
    assert await ledger.requests_since(OPENS) == [OPENS]


@pytest.mark.parametrize("text", IN_JSON)
async def test_a_key_that_nobody_has_is_not_found(ledger: Ledger, text: str) -> None:
    await promised(ledger, occurrence("ana"))
    assert await ledger.record(text) is None
    assert await ledger.by_marks([text, "x"]) == {}

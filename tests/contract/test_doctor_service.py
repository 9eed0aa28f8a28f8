"""What the doctor says of the service: real HTTP on the sandbox, and raw servers for what it never does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jobs.tavus.sandbox import Fault, Kind, Operation, Sandbox, Wrong
from scheduler.app.doctor import Finding
from scheduler.app.doctor.service import Service
from scheduler.clock import Clock
from scheduler.config import load
from scheduler.model import Config

from .conftest import KEY, RawServer, answer, listening

LIST = answer(200, {"data": [], "total_count": 0})
ACTIVE = {
    "conversation_id": "c1",
    "conversation_url": "https://t.example/c1",
    "status": "active",
    "created_at": "2026-11-30T09:00:00Z",
}
Told = list[tuple[str, str]]


class Off(Clock):
    """The machine's clock, some seconds off."""

    def __init__(self, off_s: float) -> None:
        self._off_s = off_s

    def now(self) -> float:
        return super().now() + self._off_s


def config(folder: Path, base_url: str, key: str = KEY, ids: str = "persona_id: pdced222244b") -> Config:
    (folder / "key").write_text(key)
    (folder / "key").chmod(0o600)
    (folder / "callboard.yaml").write_text(f"""\
version: 1
account: {{base_url: "{base_url}", api_key: {{file: {folder}/key}}, concurrent_conversations: 3}}
schedules:
  coach:
    when: {{days: daily, at: "09:00", timezone: UTC}}
    participants: [{{id: ana, name: Ana}}]
    conversation: {{{ids}, callback_url: "https://hook.example/x", meeting_url: "https://meet.example/y"}}
""")
    return load([folder / "callboard.yaml"])


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(Clock().now, key=KEY)
    async with sandbox.serving() as sandbox.base_url:  # type: ignore[attr-defined]
        yield sandbox


@pytest.fixture
def service(sandbox: Sandbox, tmp_path: Path) -> Callable[..., Service]:
    def of(clock: Clock | None = None, **more: Any) -> Service:
        return Service(config(tmp_path, sandbox.base_url, **more), clock or Clock())  # type: ignore[attr-defined]

    return of


@asynccontextmanager
async def raw(folder: Path, *scripts: Any) -> AsyncIterator[tuple[Service, RawServer]]:
    server = RawServer(list(scripts))
    async with listening(server.serve) as port:
        yield Service(config(folder, f"http://127.0.0.1:{port}"), Clock()), server


async def told(look: Awaitable[Any]) -> Told:
    found: list[Finding] = list(await look)
    assert all(each.fix for each in found if each.verdict in ("failed", "warning"))
    assert not any(KEY in str(each) for each in found)
    return [(each.check, str(each.verdict)) for each in found]


async def test_all_is_well(service: Callable[..., Service], sandbox: Sandbox) -> None:
    healthy = service()
    assert await told(healthy.examine()) == [("base URL", "ok"), ("key accepted", "ok"), ("clock", "ok")]
    assert await told(healthy.known()) == [("personas", "ok")]
    assert await told(healthy.trial()) == [("test conversation", "ok")]
    (room,) = sandbox.rooms.values()
    assert room.body["test_mode"] is True
    assert not {"callback_url", "meeting_url"} & set(room.body)


async def test_without_being_asked_it_makes_nothing(
    service: Callable[..., Service], sandbox: Sandbox
) -> None:
    healthy = service()
    await healthy.examine()
    await healthy.known()
    assert {seen.operation for seen in sandbox.requests} == {"list", "persona"}


@pytest.mark.parametrize(
    ("off_s", "verdict"), [(0, "ok"), (20, "warning"), (-20, "warning"), (600, "failed"), (-600, "failed")]
)
async def test_the_clock_is_held_against_the_services(
    service: Callable[..., Service], off_s: float, verdict: str
) -> None:
    assert (await told(service(Off(off_s)).examine()))[2] == ("clock", verdict)


FAULTS = {
    "a wrong key": (Fault(kind=Kind.STATUS, status=401), [("base URL", "ok"), ("key accepted", "failed")]),
    "no credits": (Fault(kind=Kind.STATUS, status=402), [("base URL", "ok"), ("key accepted", "failed")]),
    "too many requests": (Fault(kind=Kind.STATUS, status=429), [("base URL", "warning")]),
    "it moved": (Fault(kind=Kind.REDIRECT), [("base URL", "failed")]),
    "it has trouble": (Fault(kind=Kind.STATUS, status=503), [("base URL", "failed")]),
    "a web page": (Fault(kind=Kind.HTML), [("base URL", "failed")]),
    "another JSON": (Fault(kind=Kind.WRONG_JSON, wrong=Wrong.ARRAY), [("base URL", "failed")]),
    "a dropped line": (Fault(kind=Kind.DROP), [("base URL", "failed")]),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_each_trouble_has_its_line_and_ends_what_builds_on_it(
    service: Callable[..., Service], sandbox: Sandbox, what: str
) -> None:
    fault, expected = FAULTS[what]
    sandbox.faults.add(fault)
    ill = service()
    assert await told(ill.examine()) == expected
    assert await told(ill.known()) == [("personas", "skipped")]
    assert await told(ill.trial()) == [("test conversation", "skipped")]
    assert sandbox.rooms == {}


async def test_nobody_there(tmp_path: Path) -> None:
    async with listening(RawServer().serve) as port:
        closed = port
    nobody = Service(config(tmp_path, f"http://127.0.0.1:{closed}"), Clock())
    (found,) = await nobody.examine()
    assert (found.check, found.verdict, "not sent" in found.said) == ("base URL", "failed", True)


async def test_without_a_key_nothing_is_asked(sandbox: Sandbox, tmp_path: Path) -> None:
    keyless = config(tmp_path, sandbox.base_url)  # type: ignore[attr-defined]
    (tmp_path / "key").unlink()
    assert await told(Service(keyless, Clock()).examine()) == [("base URL", "skipped")]
    assert not sandbox.requests


async def test_an_unknown_persona_is_named(service: Callable[..., Service]) -> None:
    lost = service(ids="persona_id: pnobody, replica_id: rnobody")
    await lost.examine()
    found = list(await lost.known())
    assert [(each.verdict, each.said.split()[:2]) for each in found] == [
        ("failed", ["persona", "pnobody"]),
        ("failed", ["replica", "rnobody"]),
    ]
    assert all(each.fix == "look at schedules.coach" for each in found)


async def test_templates_are_no_ids_to_try(service: Callable[..., Service], sandbox: Sandbox) -> None:
    made_up = service(ids="persona_id: 'p{{ participant.id }}'")
    await made_up.examine()
    assert await told(made_up.trial()) == [("test conversation", "skipped")]
    assert sandbox.rooms == {}


async def test_a_trial_that_is_refused(service: Callable[..., Service], sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind=Kind.STATUS, status=400, operation=Operation.CREATE))
    ill = service()
    await ill.examine()
    assert await told(ill.trial()) == [("test conversation", "failed")]


async def test_a_trial_whose_answer_is_lost_says_that_it_is_free(
    service: Callable[..., Service], sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(kind=Kind.DROP, operation=Operation.CREATE))
    ill = service()
    await ill.examine()
    (found,) = await ill.trial()
    assert "test_mode and free" in found.said


async def test_a_service_that_ignores_test_mode_is_told_to_end_it(tmp_path: Path) -> None:
    answers = [LIST, answer(200, ACTIVE), answer(200, ACTIVE), answer(200, {})]
    async with raw(tmp_path, *answers) as (ill, server):
        await ill.examine()
        (found,) = await ill.trial()
    assert (found.verdict, "ended at once" in found.said) == ("failed", True)
    assert [head.split()[:2] for head in server.heads[1:]] == [
        ["POST", "/v2/conversations"],
        ["GET", "/v2/conversations/c1?verbose=true"],
        ["POST", "/v2/conversations/c1/end"],
    ]


async def test_a_trial_that_can_not_be_ended_is_told_with_its_id(tmp_path: Path) -> None:
    answers = [LIST, answer(200, ACTIVE), answer(200, ACTIVE), answer(503)]
    async with raw(tmp_path, *answers) as (ill, _):
        await ill.examine()
        (found,) = await ill.trial()
    assert (found.verdict, "c1" in found.said, "end it there" in (found.fix or "")) == ("failed", True, True)


async def test_answers_without_a_date_leave_the_clock_alone(tmp_path: Path) -> None:
    async with raw(tmp_path, LIST) as (plain, _):
        assert (await told(plain.examine()))[2] == ("clock", "skipped")

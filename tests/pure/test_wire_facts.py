"""Answers as facts: what is read, what is refused, and that nothing else can happen."""

from __future__ import annotations

import json

import pytest

from jobs.errors import Reason, StepFailed
from jobs.model import Created, Ended, EndReason, Listed, NotEnded, NotThere, Page, StillLive
from jobs.tavus.wire import Answer, facts

URL = "https://tavus.daily.co/c1"
T0 = 1795338000.0  # 2026-11-22T09:00:00Z
ROOM = {
    "conversation_id": "c1",
    "conversation_name": "Practice",
    "conversation_url": URL,
    "status": "active",
    "created_at": "2026-11-22T09:00:00Z",
}
DATE = "Sun, 22 Nov 2026 09:00:00 GMT"


def ok(body: object, date: str | None = None) -> Answer:
    return Answer(200, json.dumps(body).encode(), date)


def room(**changed: object) -> dict[str, object]:
    return {**ROOM, **changed}


def reason_of(read: object, *arguments: object) -> Reason:
    with pytest.raises(StepFailed) as caught:
        read(*arguments)  # type: ignore[operator]
    return caught.value.reason


# --- created ---------------------------------------------------------------------------------------


def test_created() -> None:
    assert facts.created(ok(ROOM)) == Created("c1", URL, T0)
    assert facts.created(ok(room(status="ended"))) == Created("c1", URL, T0, ended=True)


@pytest.mark.parametrize("told", ["Theirs", 17, ["Mine"]])
def test_an_answer_about_another_conversation_is_no_answer(told: object) -> None:
    def named(answer: Answer) -> Created:
        return facts.created(answer, "Mine")

    assert reason_of(named, ok(room(conversation_name=told))) is Reason.LOST
    for same in ("Mine", "", None):
        assert named(ok(room(conversation_name=same))) == facts.created(ok(ROOM))


@pytest.mark.parametrize(
    ("url", "joined"),
    [
        (URL, f"{URL}?t=a.b-c_d"),
        (f"{URL}?lang=en", f"{URL}?lang=en&t=a.b-c_d"),
        (f"{URL}#top", f"{URL}?t=a.b-c_d#top"),
    ],
)
def test_the_token_of_a_private_room_is_joined_to_its_link(url: str, joined: str) -> None:
    assert facts.created(ok(room(conversation_url=url, meeting_token="a.b-c_d"))).url == joined


def test_a_token_cannot_add_to_the_query() -> None:
    assert facts.created(ok(room(meeting_token="a&b=c#d"))).url == f"{URL}?t=a%26b%3Dc%23d"


@pytest.mark.parametrize(
    "broken",
    [
        *({"conversation_id": v} for v in (None, "", 7, "a b", "a/b", "..", "a\n", "x" * 129)),
        *(
            {"conversation_url": v}
            for v in (None, "", 7, "ftp://x/y", "javascript:alert(1)", "/x", "https://")
        ),
        *(
            {"conversation_url": v}
            for v in ("https://x/a b", "https://x/\n", "https://x/\u202e", "https://[x", "https://x:p")
        ),
        {"conversation_url": "https://x/" + "a" * 5000},
        {"meeting_token": 7},
        {"meeting_token": "a b"},
        {"created_at": None},
    ],
)
def test_a_create_without_what_it_must_say_is_unknown(broken: dict[str, object]) -> None:
    assert reason_of(facts.created, ok(room(**broken))) is Reason.LOST


def test_a_missing_time_costs_no_room() -> None:
    assert facts.created(ok(room(created_at=""), DATE)).created_at == T0


@pytest.mark.parametrize(
    "body", [None, b"", b"OK", b"[]", b"null", b'{"conversation_id":', b"\xff", b"[" * 500_000]
)
def test_an_unreadable_success_is_unknown_everywhere(body: bytes | None) -> None:
    answer = Answer(200, body)
    assert {
        reason_of(facts.created, answer),
        reason_of(facts.page, answer),
        reason_of(facts.inspected, answer, "c1"),
        reason_of(facts.persona, answer, "p"),
        reason_of(facts.replica, answer, "r"),
    } == {Reason.LOST}


# --- the list --------------------------------------------------------------------------------------


def test_a_page_keeps_the_servers_order() -> None:
    rows = [room(), room(conversation_id="c2", status="ended", conversation_name=None, conversation_url=None)]
    assert facts.page(ok({"data": rows, "total_count": 12})) == Page(
        (Listed("c1", "Practice", URL, True, T0), Listed("c2", "", "", False, T0)), 12
    )


@pytest.mark.parametrize("total", [None, -1, True, "3", 1.5])
def test_an_odd_total_is_none(total: object) -> None:
    assert facts.page(ok({"data": [], "total_count": total})) == Page((), None)


@pytest.mark.parametrize(
    "data", [None, {}, "x", [None], [[]], [room(conversation_id=None)], [room(created_at=0)]]
)
def test_a_page_that_may_hide_one_of_ours_is_unknown(data: object) -> None:
    assert reason_of(facts.page, ok({"data": data})) is Reason.LOST


def test_a_name_is_fit_for_storage() -> None:
    (row,) = facts.page(ok({"data": [room(conversation_name="a\ud800b")]})).rows
    assert row.name == "a?b"


# --- one conversation ------------------------------------------------------------------------------


def test_a_live_conversation() -> None:
    assert facts.inspected(ok(ROOM), "c1") == StillLive()


EVENTS = [{"event_type": "system.replica_joined", "timestamp": "2026-11-22T09:00:03Z"}]


@pytest.mark.parametrize(
    "where",
    [
        {"shutdown_reason": "participant_absent_timeout reached"},
        {
            "events": [
                *EVENTS,
                {
                    "event_type": "system.shutdown",
                    "properties": {"shutdown_reason": "Participant_Absent_timeout"},
                },
            ]
        },
        {
            "events": [
                *EVENTS,
                {"event_type": "system.shutdown", "properties": {"reason": "participant_absent_timeout"}},
            ]
        },
        {
            "shutdown_reason": "",
            "events": [None, {"properties": []}, {"properties": {"reason": "participant_absent_timeout"}}],
        },
    ],
)
def test_the_three_places_of_a_shutdown_reason(where: dict[str, object]) -> None:
    assert facts.inspected(ok(room(status="ended", **where)), "c1") == Ended(EndReason.ABSENT)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("max_call_duration", EndReason.MAX_CALL_DURATION),
        ("max_call_duration reached", EndReason.MAX_CALL_DURATION),
        ("participant_left_timeout reached", EndReason.LEFT),
        ("end_conversation_endpoint_hit", EndReason.BY_US),
        ("daily_room_has_been_deleted", EndReason.ROOM_DELETED),
        ("exception_encountered_during_conversation_startup", EndReason.STARTUP_FAULT),
        ("bot_could_not_join_meeting_it_was_probably_ended", EndReason.OTHER),
        ("internal error occurred at step x", EndReason.OTHER),
        (None, EndReason.OTHER),
        (7, EndReason.OTHER),
    ],
)
def test_shutdown_reasons_by_prefix(said: object, reason: EndReason) -> None:
    assert facts.inspected(ok(room(status="ended", shutdown_reason=said)), "c1") == Ended(reason)


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        ("2026-11-22T09:00:00Z", T0),
        ("2026-11-22T09:00:00.250000Z", T0 + 0.25),
        ("2026-11-22T10:00:00+01:00", T0),
        ("2026-11-22T09:00:00", T0),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (1795338000, None),
    ],
)
def test_when_it_ended(timestamp: object, at: float | None) -> None:
    events = [*EVENTS, {"event_type": "system.shutdown", "timestamp": timestamp}]
    assert facts.inspected(ok(room(status="ended", events=events)), "c1") == Ended(EndReason.OTHER, at)


def test_an_id_that_is_not_there_is_told_by_its_text() -> None:
    unknown = Answer(400, b'{"error": "Invalid conversation_id"}')
    assert facts.inspected(unknown, "c1") == NotThere()
    assert reason_of(facts.inspected, Answer(400, b'{"error": "Invalid request"}'), "c1") is Reason.REFUSED
    assert (
        reason_of(facts.inspected, Answer(404, b'{"error": "Invalid conversation_id"}'), "c1")
        is Reason.REFUSED
    )


@pytest.mark.parametrize(
    "odd", [{"status": None}, {"status": []}, {"status": "paused"}, {"conversation_id": "c2"}]
)
def test_an_answer_about_something_else_is_unknown(odd: dict[str, object]) -> None:
    assert reason_of(facts.inspected, ok(room(**odd)), "c1") is Reason.LOST


def test_ended_whatever_the_body_says() -> None:
    assert [facts.ended(Answer(200, body)) for body in (b"", b"OK", b"{}")] == [Ended(EndReason.BY_US)] * 3
    assert facts.ended(Answer(400, None)) == NotEnded()
    assert reason_of(facts.ended, Answer(200, None)) is Reason.LOST
    assert reason_of(facts.ended, Answer(401, b"")) is Reason.DENIED

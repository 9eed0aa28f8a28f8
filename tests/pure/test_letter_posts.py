"""The bodies of posts: the event for programs, and the message in a Slack channel."""

from __future__ import annotations

import json

import pytest

from jobs.model import Address
from tests.pure.letters import LINK, named, written

HOOK = Address("webhook", "https://hooks.example/secret")
SLACK = Address("slack", "https://hooks.slack.example/services/secret")


def test_the_event() -> None:
    assert json.loads(written(HOOK)) == {
        "id": "cb-ABCDEFGHIJKLMNOP-1-96f31fe59f",
        "type": "join_link.ready",
        "timestamp": "2026-11-23T13:59:30.400Z",
        "data": {
            "occurrence": "coach/09:00/2026-11-23/ana",
            "schedule": "coach",
            "slot": "09:00",
            "date": "2026-11-23",
            "participant": {"id": "ana", "name": "Ana Ruiz"},
            "link": LINK,
            "not_after": "2026-11-23T14:01:00.400Z",
        },
    }


def test_an_event_about_nobody_and_one_for_each_url() -> None:
    assert json.loads(written(HOOK, participant=None))["data"]["participant"] is None
    other = json.loads(written(Address("webhook", "https://other.example/")))
    assert other["id"] != json.loads(written(HOOK))["id"]
    assert b"secret" not in written(HOOK) + written(SLACK)


def sections(message: bytes) -> list[str]:
    blocks = json.loads(message)["blocks"]
    assert {(block["type"], block["text"]["type"]) for block in blocks} == {("section", "mrkdwn")}
    assert all(len(block["text"]["text"]) <= 3000 for block in blocks)
    return [block["text"]["text"] for block in blocks]


def test_the_message_in_slack() -> None:
    when = "Ana Ruiz · Monday 23 November, 09:00 in New York (UTC-5)"
    assert json.loads(written(SLACK))["text"] == f"Practice: {when}"
    assert sections(written(SLACK)) == [
        "*Improve Sales Technique*",
        f"{when}, up to 30 minutes",
        "<https://tavus.example/c123?t=a&amp;b=1|Join the practice> · open until 09:01",
    ]


def test_a_message_about_nobody() -> None:
    assert json.loads(written(SLACK, participant=None))["text"].startswith("Practice: Monday")


@pytest.mark.parametrize(
    "text", ["<!channel>", "<https://evil.example|Join>", "a & b > c\n<@U1>", "<" * 5000]
)
def test_nobody_writes_mentions_or_links_into_slack(text: str) -> None:
    message = written(SLACK, participant=named(text), practice=text)
    shown = "\n".join(sections(message))
    assert (shown.count("<"), shown.count(">"), shown.count("\n")) == (1, 1, 2)
    assert "<" not in json.loads(message)["text"]


def test_a_link_can_not_end_early() -> None:
    assert "<https://t.example/a%7Cb%3Ec|Join" in sections(written(SLACK, url="https://t.example/a|b>c"))[2]

"""A generation comes back as it went, and the JSON Schema says what the loader says."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.model import Address, ConversationRequest, Participant, Properties, Wording
from scheduler.config import freeze, load, schema, thaw
from scheduler.model import (
    Cron,
    Days,
    Every,
    Exclusion,
    Fold,
    Gap,
    Monthly,
    On,
    Overlap,
    Schedule,
    Slot,
    When,
)

words = st.text(max_size=8)
maybe = st.none() | words
times = st.times().map(lambda at: at.replace(microsecond=0, fold=0))
slots = st.lists(st.builds(Slot, words, times), max_size=3).map(tuple)
moments = st.datetimes(min_value=datetime(2000, 1, 1)).map(lambda at: at.replace(microsecond=0, fold=0))
forms = st.one_of(
    st.builds(Days, st.frozensets(st.integers(0, 6)), slots),
    st.builds(Cron, words, words, words, words, words),
    st.builds(Every, st.integers(1, 10**6), st.integers(0, 100)),
    st.builds(On, st.lists(moments, max_size=3).map(tuple)),
    st.builds(Monthly, words, slots),
)
days = st.dates(min_value=date(2000, 1, 1))
whens = st.builds(
    When, forms, words, st.none() | days, st.none() | days,
    st.lists(st.builds(Exclusion, days, days, maybe), max_size=2).map(tuple),
    st.sampled_from(Gap), st.sampled_from(Fold),
)  # fmt: skip
people = st.lists(st.builds(Participant, words, words, maybe, maybe), max_size=4, unique=True).map(tuple)
requests = st.builds(
    ConversationRequest,
    persona_id=maybe,
    conversational_context=maybe,
    participant_tags=st.none() | st.lists(words, max_size=2).map(tuple),
    document_retrieval_strategy=st.none() | st.sampled_from(["speed", "quality", "balanced"]),
    test_mode=st.none() | st.booleans(),
    max_participants=st.none() | st.integers(2, 9),
    properties=st.builds(
        Properties,
        max_call_duration=st.integers(1, 9999),
        recording_storage=st.none() | st.dictionaries(words, words),
    ),
)
addresses = st.one_of(
    st.sampled_from([Address("log"), Address("mail")]),
    st.builds(Address, st.sampled_from(["webhook", "slack"]), words.map("https://x.example/".__add__)),
)
schedules = st.builds(
    Schedule, name=words, when=st.lists(whens, max_size=3).map(tuple), participants=people, request=requests,
    fallback_zone=maybe, lead_s=st.integers(0, 99), overlap=st.sampled_from(Overlap), enabled=st.booleans(),
    deliver=st.lists(addresses, min_size=1, max_size=3).map(tuple),
    wording=st.builds(Wording, maybe, maybe, maybe),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(schedules, max_size=3, unique_by=lambda schedule: schedule.name))
def test_what_is_frozen_thaws_to_the_same(found: list[Schedule]) -> None:
    named = {schedule.name: schedule for schedule in found}
    text = freeze(named)
    assert thaw(text) == named
    assert list(thaw(text)) == list(named)
    assert freeze(thaw(text)) == text


def test_ten_thousand_people_stand_in_a_generation_once() -> None:
    roster = tuple(Participant(f"p{n}", f"Person {n}", None, "UTC") for n in range(10_000))
    when = (When(Days(frozenset({0}), (Slot("09:00", time(9)),)), "UTC"),)
    named = {
        name: Schedule(name=name, when=when, participants=roster, request=ConversationRequest(persona_id="p"))
        for name in "abcdefgh"
    }
    text = freeze(named)
    assert text.count('"Person 77"') == 1
    assert thaw(text) == named


def check(text: str) -> list[str]:
    found: Any = yaml.load(text, Loader=yaml.BaseLoader)  # texts, as an editor sees what is quoted
    return [error.message for error in jsonschema.Draft7Validator(schema()).iter_errors(found)]


GOOD = """\
version: 1
service: {ledger: x.db, reload: signal}
account: {requests: 60/min, api_key: {env: KEY}, concurrent_conversations: 3}
mail:
  from: Practice <practice@example.com>
  smtp: {host: mail.example.com, port: 465, security: tls, username: u, password: {env: SMTP_PASSWORD}}
  connections: 2
rosters: {a: [{id: x, name: X, email: x@example.com}], b: {file: b.csv}}
defaults: {timezone: UTC, deliver: log}
schedules:
  s:
    when: [{days: [mon, wed], at: {am: "9:00"}, except: [{from: 2026-12-25, until: 2027-01-06}]}]
    participants: [a, {id: y, name: Y}]
    mail: {subject: "{{ slot.time }}", text: "{{ link.url }}"}
    conversation: {persona_id: p, participant_tags: [x], properties: {max_call_duration: 30m}}
  t:
    when: {every: 1h}
    participants: a
    conversation: {persona_id: p}
    deliver: [mail, {webhook: "https://x.example/a", secret: {file: key}}, {slack: "https://x.example/b"}]
"""


def test_the_schema_is_draft_07_and_takes_what_the_loader_takes() -> None:
    jsonschema.Draft7Validator.check_schema(schema())
    assert schema()["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert json.loads(json.dumps(schema())) == schema()
    assert "$defs" not in json.dumps(schema())
    assert check(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", "x: 1"),
        ("timezone: UTC", "timezoen: UTC"),
        ("60/min", "60/day"),
        ("{env: KEY}", "secret"),
        ("30m", "half"),
        ("reload: signal", "reload: poll"),
        ("{id: y, name: Y}", "{id: y}"),
        ("deliver: log", "deliver: post"),
        ("deliver: log", "deliver: [{webhook: 'https://x.example', slack: 'https://x.example'}]"),
        ("deliver: log", "deliver: {slack: 'https://x.example', secret: {env: KEY}}"),
        ("deliver: log", "deliver: {secret: {env: KEY}}"),
        ("security: tls", "security: ssl"),
        ("{env: SMTP_PASSWORD}", "hunter2"),
        ("port: 465", "port: smtps"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(old: str, new: str) -> None:
    assert old in GOOD and check(GOOD.replace(old, new)) != []


def test_the_schema_names_every_key_of_the_request() -> None:
    text = json.dumps(schema())
    for holder in (ConversationRequest, Properties):
        assert all(f'"{name}"' in text for name in holder.__slots__)


def test_the_example_of_the_schema_loads(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("id,name\nz,Z\n")
    (tmp_path / "a.yaml").write_text(GOOD)
    assert [person.id for person in load([tmp_path]).schedules["s"].participants] == ["x", "y"]

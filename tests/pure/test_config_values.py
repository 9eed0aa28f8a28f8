"""What a good configuration means: every form, every default, every kind of text."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import pytest

from jobs.model import Address, ConversationRequest, Properties
from scheduler.config import ConfigErrors, load
from scheduler.model import (
    Account,
    Config,
    Cron,
    Days,
    Every,
    Exclusion,
    Fold,
    Form,
    Gap,
    Monthly,
    On,
    Overlap,
    Rate,
    Schedule,
    SecretRef,
    Slot,
    When,
)

WEEKDAYS = frozenset(range(5))


def config(folder: Path, text: str) -> Config:
    (folder / "a.yaml").write_text("version: 1\n" + text)
    return load([folder / "a.yaml"])


def schedule(folder: Path, words: str) -> Schedule:
    found = config(folder, f"schedules:\n  s:\n    conversation: {{persona_id: p}}\n{words}")
    return found.schedules["s"]


def form(folder: Path, words: str) -> Form:
    return schedule(folder, f"    timezone: UTC\n    when: {words}\n").when[0].form


def test_everything_left_out_has_its_default(tmp_path: Path) -> None:
    found = config(
        tmp_path, "schedules:\n  s: {timezone: UTC, when: {every: 15m}, conversation: {persona_id: p}}\n"
    )
    assert found.account == Account()
    assert found.account.api_key == SecretRef("env", "TAVUS_API_KEY")
    assert found.service.ledger == str(tmp_path / "callboard.db")
    assert found.schedules["s"] == Schedule(
        name="s",
        when=(When(Every(900), "UTC"),),
        participants=(),
        request=ConversationRequest(persona_id="p"),
        fallback_zone="UTC",
    )
    assert found.schedules["s"].request.properties == Properties(
        max_call_duration=1800, participant_left_timeout=60, participant_absent_timeout=300
    )
    assert len(found.warnings) == 1 and "concurrent_conversations" in found.warnings[0]


def test_everything_written_is_kept(tmp_path: Path) -> None:
    found = config(
        tmp_path,
        "service: {ledger: data/x.db, reload: signal}\n"
        "account: {base_url: 'http://127.0.0.1:9/', api_key: {file: /run/key}, ids: pal, requests: 5/s,\n"
        "  concurrent_conversations: 7, reserve: 1, max_call_duration: 2h}\n"
        "schedules:\n  s:\n    when: {every: 36h}\n    timezone: UTC\n"
        "    lead: 1m\n    start_window: 0\n"
        "    overlap: allow\n    spread: 90\n    enabled: no\n    deliver: log\n"
        "    conversation: {replica_id: r}\n",
    )
    assert found.account == Account(
        base_url="http://127.0.0.1:9",
        api_key=SecretRef("file", "/run/key"),
        ids="pal",
        requests=Rate(5, 1.0),
        concurrent_conversations=7,
        reserve=1,
        max_call_duration_s=7200,
    )
    assert found.service.ledger == str(tmp_path / "data/x.db")
    only = found.schedules["s"]
    assert (only.lead_s, only.start_window_s, only.spread_s) == (60, 0, 90)
    assert (only.overlap, only.enabled, only.deliver) == (
        Overlap.ALLOW,
        False,
        (Address("log"),),
    )
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("{days: mon-fri, at: 9:00}", Days(WEEKDAYS, (Slot("09:00", time(9)),))),
        ("{days: daily, at: ['09:00:30']}", Days(frozenset(range(7)), (Slot("09:00:30", time(9, 0, 30)),))),
        ("{days: [mon, wed], at: {am: 9:00}}", Days(frozenset({0, 2}), (Slot("am", time(9)),))),
        ("{days: [Fri-Mon], at: 9:00}", Days(frozenset({4, 5, 6, 0}), (Slot("09:00", time(9)),))),
        ("{days: 'mon, wed-thu', at: 9:00}", Days(frozenset({0, 2, 3}), (Slot("09:00", time(9)),))),
        ("{cron: 0 9 * * mon-fri}", Cron("0", "9", "*", "*", "mon,tue,wed,thu,fri")),
        ("{cron: '*/20 8-10 1,15 jan-mar *'}", Cron("0,20,40", "8,9,10", "1,15", "1,2,3", "*")),
        ("{cron: 0-59 */1 * * sat-sun}", Cron("*", "*", "*", "*", "sat,sun")),
        ("{cron: 5/30 9 * * *}", Cron("5,35", "9", "*", "*", "*")),
        ("{every: 1h30m}", Every(5400)),
        ("{on: 2026-12-01T09:00}", On((datetime(2026, 12, 1, 9),))),
        ("{on: ['2026-12-02 9:00:30', '2026-12-01T09:00']}",
         On((datetime(2026, 12, 1, 9), datetime(2026, 12, 2, 9, 0, 30)))),
        ("{monthly: {day: 1, at: 9:00}}", Monthly("1", (Slot("09:00", time(9)),))),
        ("{monthly: {day: last, at: 9:00}}", Monthly("last", (Slot("09:00", time(9)),))),
        ("{monthly: {day: first mon, at: 9:00}}", Monthly("1st mon", (Slot("09:00", time(9)),))),
        ("{monthly: {day: last fri, at: {x: 9:00}}}", Monthly("last fri", (Slot("x", time(9)),))),
    ],
)  # fmt: skip
def test_every_form_of_when(tmp_path: Path, words: str, meant: Form) -> None:
    assert form(tmp_path, words) == meant


@pytest.mark.parametrize(
    "words",
    [
        "{cron: 0 9 * *}", "{cron: 0 9 1 * mon}", "{cron: 0 9 * * 1}", "{cron: 0 9 * * mon/2}",
        "{cron: 60 9 * * *}",
        "{cron: 0 9 30 2 *}", "{cron: 10-5 9 * * *}", "{cron: '*/0 9 * * *'}",
        "{cron: 0 9 ? * mon}", "{cron: '@daily'}",
        "{cron: 0 9 L * *}", "{cron: 0 9 * foo *}", "{every: 0}", "{every: soon}", "{on: 2026-12-01T09:00Z}",
        "{on: 2026-12-01}", "{on: [2026-12-01 09:00, 2026-12-01T09:00]}", "{monthly: {day: 32, at: 9:00}}",
        "{monthly: {day: some mon, at: 9:00}}", "{monthly: {day: last}}", "{days: mon, at: {a/b: 9:00}}",
        "[{days: mon, at: 9:00}, {days: tue, at: 9:00}]", "[{every: 15m}, {every: 20m}]",
        "[{cron: '*/30 9 * * *'}, {days: mon, at: 9:30}]",
        "[{on: 2026-12-01T09:00}, {monthly: {day: 1, at: 9:00}}]",
    ],
)  # fmt: skip
def test_a_when_that_means_nothing_is_refused(tmp_path: Path, words: str) -> None:
    with pytest.raises(ConfigErrors):
        form(tmp_path, words)


def test_one_moment_of_two_days_may_share_its_name(tmp_path: Path) -> None:
    assert form(tmp_path, "{on: [2026-12-01 09:00, 2026-12-02 09:00]}")


def test_bounds_of_a_form(tmp_path: Path) -> None:
    words = (
        "    timezone: UTC\n    when: {days: mon, at: 9:00, from: 2026-01-01, until: 2026-12-31,\n"
        "      gap: skip, fold: second, timezone: Europe/Berlin,\n"
        "      except: [2026-12-24, {from: 2026-12-25, until: 2026-12-26, name: Christmas}]}\n"
    )
    days = Days(frozenset({0}), (Slot("09:00", time(9)),))
    exclusions = (
        Exclusion(date(2026, 12, 24), date(2026, 12, 24)),
        Exclusion(date(2026, 12, 25), date(2026, 12, 26), "Christmas"),
    )
    bounds = (date(2026, 1, 1), date(2026, 12, 31), exclusions, Gap.SKIP, Fold.SECOND)
    assert schedule(tmp_path, words).when == (When(days, "Europe/Berlin", *bounds),)


def test_every_needs_no_zone(tmp_path: Path) -> None:
    found = schedule(tmp_path, "    when: {every: 15m}\n")
    assert (found.when[0].timezone, found.fallback_zone) == ("UTC", None)


def test_a_31st_is_doubted(tmp_path: Path) -> None:
    found = config(
        tmp_path,
        "account: {concurrent_conversations: 1}\nschedules:\n"
        "  s: {timezone: UTC, when: {monthly: {day: 31, at: 9:00}}, conversation: {persona_id: p}}\n",
    )
    assert len(found.warnings) == 1 and "months without a day 31 are left out" in found.warnings[0]


PEOPLE = "    participants: [{id: ana, name: Ana, timezone: America/Chicago}, {id: ben, name: Ben}]\n"


@pytest.mark.parametrize(
    ("defaults", "own", "zone_of_when", "fallback"),
    [
        ("", "timezone: UTC", "UTC", "UTC"),
        ("Europe/Paris", "", "Europe/Paris", "Europe/Paris"),
        ("Europe/Paris", "timezone: UTC", "UTC", "UTC"),
        ("Europe/Paris", "timezone: participant", "participant", "Europe/Paris"),
    ],
)
def test_whose_zone_holds(tmp_path: Path, defaults: str, own: str, zone_of_when: str, fallback: str) -> None:
    text = f"defaults: {{timezone: {defaults}}}\n" if defaults else ""
    text += (
        f"schedules:\n  s:\n    when: {{days: mon, at: 9:00}}\n    conversation: {{persona_id: p}}\n{PEOPLE}"
    )
    found = config(tmp_path, text + (f"    {own}\n" if own else "")).schedules["s"]
    assert (found.when[0].timezone, found.fallback_zone) == (zone_of_when, fallback)


def test_a_person_without_any_zone_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match='no time zone for the participant "ben"'):
        schedule(tmp_path, f"    timezone: participant\n    when: {{days: mon, at: 9:00}}\n{PEOPLE}")


def test_plain_scalars_are_text(tmp_path: Path) -> None:
    people = ", ".join(
        f"{{id: {id_}, name: {id_}}}" for id_ in ("no", "off", "007", "9:30", "1e3", "0x1F", "null")
    )
    found = schedule(tmp_path, f"    when: {{every: 15m}}\n    participants: [{people}]\n")
    assert [person.name for person in found.participants] == [
        "no",
        "off",
        "007",
        "9:30",
        "1e3",
        "0x1F",
        "null",
    ]


def test_every_field_of_the_request_can_be_written(tmp_path: Path) -> None:
    found = config(
        tmp_path,
        """schedules:
  s:
    when: {every: 15m}
    conversation:
      persona_id: p
      replica_id: 007
      conversation_name: off
      callback_url: http://example.com/{{ slot.date }}
      conversational_context: |
        two
        lines
      custom_greeting: "Hello: you"
      enable_dynamic_greeting: yes
      audio_only: on
      memory_stores: [a, b]
      participant_tags: one
      document_ids: [a]
      document_tags: [a]
      document_retrieval_strategy: speed
      test_mode: True
      require_auth: off
      max_participants: 3
      policy: eu
      meeting_url: https://meet.example.com/x
      properties:
        max_call_duration: 20m
        participant_left_timeout: 45
        participant_absent_timeout: 2m
        enable_recording: true
        enable_closed_captions: false
        apply_greenscreen: no
        language: english
        recording_s3_bucket_name: b
        recording_s3_bucket_region: r
        aws_assume_role_arn: arn
        recording_storage: {provider: gcs, bucket_name: b}
""",
    )
    request = found.schedules["s"].request
    assert request.replica_id == "007" and request.conversation_name == "off" and request.test_mode is True
    assert request.conversational_context == "two\nlines\n" and request.participant_tags == ("one",)
    assert request.properties.recording_storage == {"provider": "gcs", "bucket_name": "b"}
    for holder in (request, request.properties):
        assert [name for name in holder.__slots__ if getattr(holder, name) is None] == []

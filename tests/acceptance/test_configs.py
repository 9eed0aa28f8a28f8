"""Every file in `configs/` is right, and the samples hold what they are samples of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobs.model import Address, Wording
from scheduler.config import load, schema
from scheduler.model import PARTICIPANT_ZONE, Config, SecretRef
from scheduler.planner import occurrences
from scheduler.templates import Context, SlotView, Templates

CONFIGS = Path(__file__).parents[2] / "configs"
FILES = sorted(CONFIGS.glob("*.yaml"))
MIDDAY_S = 1_796_126_400.0  # 2026-12-01T12:00:00Z, a Tuesday


def sample(name: str) -> Config:
    return load([CONFIGS / name])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_checks_clean(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=callboard.schema.json\n")
    assert load([path]).schedules


def test_the_sales_coach_is_the_guides() -> None:
    config = sample("sales-coach.yaml")
    assert config.warnings == ()
    (schedule,) = config.schedules.values()
    request = schedule.request
    assert (request.persona_id, request.replica_id) == ("pdced222244b", "rfe12d8b9597")
    assert request.conversation_name == "Improve Sales Technique"
    clocks = request.properties
    assert clocks.max_call_duration == 1800
    assert clocks.participant_left_timeout == 60
    assert clocks.participant_absent_timeout == 120


def test_the_sales_coach_calls_eight_people_in_four_zones_twice_a_day() -> None:
    (schedule,) = sample("sales-coach.yaml").schedules.values()
    assert len(schedule.participants) == 8
    assert len({person.timezone for person in schedule.participants}) == 4
    assert {when.timezone for when in schedule.when} == {PARTICIPANT_ZONE}
    assert all(person.email and person.email.endswith("@example.com") for person in schedule.participants)
    day = [each for each in occurrences([schedule], MIDDAY_S, MIDDAY_S + 86_400) if each.date == "2026-12-01"]
    assert len(day) == 16
    assert {each.slot for each in day} == {"morning", "afternoon"}


def test_the_sales_coach_mails_and_asks_for_no_more_than_a_server() -> None:
    config = sample("sales-coach.yaml")
    (schedule,) = config.schedules.values()
    assert schedule.deliver == (Address("mail"),)
    assert schedule.wording == Wording()
    assert config.mail is not None and config.mail.smtp is not None
    assert config.mail.smtp.password == SecretRef("env", "SMTP_PASSWORD")


def test_the_reference_uses_every_channel() -> None:
    config = sample("reference.yaml")
    schedule = config.schedules["objection-handling"]
    assert [address.channel for address in schedule.deliver] == ["log", "mail", "webhook", "slack"]
    assert list(config.webhook_secrets) == [schedule.deliver[2].target]


def test_the_coach_knows_the_name() -> None:
    (schedule,) = sample("sales-coach.yaml").schedules.values()
    ana = schedule.participants[0]
    context = Context(schedule.name, SlotView("morning", "2026-12-01", "09:00"), ana)
    text = Templates().render(schedule.request, context).conversational_context
    assert text is not None
    assert text.endswith(f"My name is {ana.name}.")


def test_the_demo_calls_eight_in_a_few_seconds_and_has_too_few_rooms_for_them() -> None:
    """A first link soon after its minute begins; the last two wait until somebody has left."""
    config = sample("demo.yaml")
    account, (schedule,) = config.account, config.schedules.values()
    assert account.base_url.startswith("http://127.0.0.1")
    assert len(schedule.participants) == 8
    assert account.concurrent_conversations - account.reserve == 6
    for minute in range(100):
        start_s = MIDDAY_S + 60 * minute
        due = [each.due - start_s for each in occurrences([schedule], start_s - 1, start_s + 59)]
        assert len(due) == 8
        assert 0 <= min(due) <= 8
        assert max(due) <= 10


def test_the_demos_calls_are_told_as_over_within_its_minute() -> None:
    """Each room is asked after 15 s after it should have closed empty, and its link can be handed over."""
    (schedule,) = sample("demo.yaml").schedules.values()
    clocks = schedule.request.properties
    assert 30 < clocks.participant_absent_timeout < clocks.max_call_duration
    asked_s = clocks.participant_absent_timeout + 15
    assert clocks.max_call_duration < asked_s < 60 - 12


def test_the_schema_that_editors_read_is_the_one_we_give() -> None:
    shipped = json.loads((CONFIGS / "callboard.schema.json").read_text())
    assert shipped == schema(), "callboard schema > configs/callboard.schema.json"

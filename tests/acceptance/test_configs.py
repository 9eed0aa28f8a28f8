"""Every file in `configs/` is right, and the samples hold what they are samples of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.config import load
from scheduler.model import PARTICIPANT_ZONE, Config
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


def test_the_coach_knows_the_name() -> None:
    (schedule,) = sample("sales-coach.yaml").schedules.values()
    ana = schedule.participants[0]
    context = Context(schedule.name, SlotView("morning", "2026-12-01", "09:00"), ana)
    text = Templates().render(schedule.request, context).conversational_context
    assert text is not None
    assert text.endswith(f"My name is {ana.name}.")


def demo_openings(start_s: float) -> Iterator[tuple[float, str | None]]:
    schedules = sample("demo.yaml").schedules.values()
    return ((each.opens, each.participant) for each in occurrences(schedules, start_s, start_s + 60))


@pytest.mark.parametrize("second", range(0, 40, 3))
def test_the_demo_has_something_to_show_whenever_it_starts(second: int) -> None:
    """A first link soon, everybody once, and half of them a second time after their first call ended."""
    start_s = MIDDAY_S + second + 0.5
    openings = list(demo_openings(start_s))
    assert openings[0][0] - start_s <= 5
    people = [person for _, person in openings]
    assert len(set(people)) == 8
    assert sum(people.count(person) > 1 for person in set(people)) >= 4


def test_the_demos_calls_are_over_before_the_next_and_its_links_can_be_handed_over() -> None:
    config = sample("demo.yaml")
    assert config.account.base_url.startswith("http://127.0.0.1")
    assert config.account.concurrent_conversations - config.account.reserve >= len(config.schedules)
    for schedule in config.schedules.values():
        clocks = schedule.request.properties
        assert 30 < clocks.participant_absent_timeout < clocks.max_call_duration < 40
        assert schedule.lead_s <= clocks.participant_absent_timeout

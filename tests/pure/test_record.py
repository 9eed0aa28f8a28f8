"""The words and the values: closed sets, names that stay, and lateness."""

from __future__ import annotations

import dataclasses

import pytest

from jobs.model import Created
from scheduler.facts import KINDS, NAMES, REASONS, Attempted, NothingThere, Stage, StrayKept
from tests.pure.lives import T0, after, creating, live, promise


@pytest.mark.parametrize(("made_s", "late_s"), [(-30.0, 0.0), (0.0, 0.0), (12.5, 12.5)])
def test_lateness_is_counted_from_the_slot_and_never_negative(made_s: float, late_s: float) -> None:
    record = after(creating(), (20, Created("c1", "https://x", T0)))
    assert record._replace(created_at=T0 + made_s).lateness_s == late_s


def test_what_was_never_created_is_not_late() -> None:
    assert promise().lateness_s is None


def test_a_record_is_a_value() -> None:
    assert live() == live() and hash(live()) == hash(live())
    with pytest.raises(AttributeError):
        live().stage = Stage.ENDED  # type: ignore[misc]


def test_the_terminal_stages_are_those_with_reasons() -> None:
    assert set(Stage) - set(REASONS) == {Stage.PLANNED, Stage.CREATING, Stage.LIVE}
    assert all(REASONS.values())


def test_every_fact_has_one_name_that_the_ledger_keeps() -> None:
    assert {NAMES[kind] for kind in (Attempted, NothingThere, StrayKept)} == {
        *("attempted", "nothing_there", "stray_kept")
    }
    assert {KINDS[name]: name for name in KINDS} == dict(NAMES)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.__name__)
def test_a_fact_is_a_frozen_value(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]

"""The worst case played through: places, requests, windows; each kept promise within all three."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scheduler.app.doctor.capacity import Wanted, play
from scheduler.model import Occurrence, Rate

MANY = Rate(1000, 1.0)


def wanted(opens: float, window_s: float = 600, holds_s: float = 1800, who: str = "ana") -> Wanted:
    due = opens + 30
    promise = Occurrence("coach", "09:00", "2026-03-04", who, due, opens, due + window_s, 0, "UTC")
    return Wanted(promise, holds_s)


def test_nobody_waits_where_there_is_room() -> None:
    load = play([wanted(0), wanted(0), wanted(5000)], 2, MANY)
    assert (load.promises, load.peak, load.peak_at, load.missed, load.latest_s) == (3, 2, 30, (), 0)


def test_whoever_finds_no_place_within_the_window_misses() -> None:
    ana, ben, cai = (wanted(0, who=who) for who in ("ana", "ben", "cai"))
    load = play([ana, ben, cai], 2, MANY)
    assert (load.peak, load.missed) == (3, (cai.promise,))


def test_a_short_call_makes_place_in_time() -> None:
    load = play([wanted(0, holds_s=300), wanted(0, holds_s=300), wanted(0)], 1, MANY)
    assert (load.missed, load.latest_s) == ((), 600)


def test_the_rate_lets_so_many_go_in_any_window() -> None:
    crowd = [wanted(0, window_s=30, holds_s=1) for _ in range(250)]
    load = play(crowd, 1000, Rate(60, 60.0))
    assert len(load.missed) == 250 - 2 * 60
    assert load.latest_s == 60


def test_test_mode_holds_no_place_and_still_costs_a_request() -> None:
    load = play([wanted(0, holds_s=0) for _ in range(3)], 1, Rate(1, 10.0))
    assert (load.peak, load.missed, load.latest_s) == (0, (), 20)


@given(
    opens=st.lists(st.integers(0, 4000), max_size=40).map(sorted),
    places=st.integers(1, 5),
    count=st.integers(1, 5),
)
def test_kept_and_missed_are_all_and_more_places_never_harm(
    opens: list[int], places: int, count: int
) -> None:
    crowd = [wanted(each, window_s=300, holds_s=900) for each in opens]
    few, more = (play(crowd, n, Rate(count, 60.0)) for n in (places, places + 40))
    assert few.promises == len(opens)
    assert few.latest_s <= 330
    assert len(few.missed) <= few.promises
    assert len(more.missed) <= len(few.missed)
    assert few.peak == more.peak <= len(opens)
    assert bool(few.missed) <= (few.peak > places or len(opens) > count)

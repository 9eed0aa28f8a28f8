"""Killed at every point that matters, by a real SIGKILL, and again while recovering: one conversation each.

Two seeds for each point in the quick part, one for every third point on PostgreSQL, and 25 for each in the
long one (`-m long`). A failure names its test; that is the command that repeats it, since all dice are the
seed's.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from scheduler.ledger import place_of
from tests.house.conftest import Rig
from tests.proofs import day, invariants
from tests.proofs.mortal import History, history
from tests.proofs.points import Death

QUICK, LONG = {"sqlite": 2, "postgresql": 1}, 25
EACH = {"sqlite": 1, "postgresql": 3}
"""Every which point is in the quick part."""

READY_S = 10.0
"""From opening the ledger to the end of the first turn: 2 s are promised and a hundredth is needed, but
tests share their machine."""

DOWN_S = (0.0, 0.4, 2.0, 5.0, 40.0, 100.0)
"""How long nobody lives after a death."""

COMMITS = (
    *("start: birth", "start: lift", "start: generation", "start: settle"),
    *("promise", "look", "claim", "hold", "lift", "note created", "note failed", "note delivered"),
    *("note found", "note nothing_there", "note stray_found", "note stray_ended"),
    *("note doubted", "note still_live", "note ended", "note skipped", "note missed"),
    *("swap: generation", "swap: note cancelled", "swap: settle", "swap: claim"),
    *("drain: note created", "drain: note delivered"),
)
REQUESTS = (
    *("create", "inspect", "end", "probe"),
    *("survey active page 1", "survey active page 2", "survey ended page 1"),
)
DELIVERIES = ("deliver", "deliver mail", "drain: deliver", "drain: deliver mail")
ASKED = ("create", "get", "end", "list")
MIGRATIONS = {"sqlite": ("start: migration 1", "start: migration 2"), "postgresql": ("start: migration 6",)}
POINTS = (
    *(f"{name}: {when} commit" for name in COMMITS for when in ("before", "after")),
    *(f"{name}: {when}" for name in REQUESTS for when in ("before", "leaving", "after")),
    *("drain: create: leaving", "drain: create: after"),
    *(f"{name}: {when}" for name in DELIVERIES for when in ("before", "after")),
    *(f"server: {name} {when}" for name in ASKED for when in ("has come", "is done")),
)


Begun = Callable[..., AbstractContextManager[History]]


class Figures:
    """What a run of this file adds up to; shown with `-s`."""

    def __init__(self) -> None:
        self.points: set[str] = set()
        self.deaths = self.second = self.rooms = self.promises = self.again = self.unknown = 0
        self.ready_s: list[float] = []
        self.censuses: dict[tuple[str, int], Counter[str]] = {}

    def add(self, told: History, rig: Rig, point: str) -> None:
        self.points.add(point)
        self.deaths += sum(life.killed for life in told.lives)
        self.second += told.lives[1].killed
        self.ready_s += [life.ready_s for life in told.lives[1:] if life.ready_s is not None]
        self.rooms += len(rig.sandbox.rooms)
        records = rig.records().values()
        self.promises += len(records)
        self.again += sum(record.attempt > 1 for record in records)
        self.unknown += len(unknown(rig))


@pytest.fixture(scope="module")
def figures() -> Iterator[Figures]:
    made = Figures()
    yield made
    if made.deaths:
        print(
            f"\n{len(made.points)} points, {made.deaths} deaths, {made.second} of them while recovering; "
            f"{made.promises} promises, {made.rooms} conversations; {made.again} promises tried again after "
            f"a last look, {made.unknown} with a conversation that was over unseen; "
            f"ready after at most {max(made.ready_s):.3f} s"
        )


@pytest.fixture
def begun(dialect: str, seed: int, tmp_path: Path, request: pytest.FixtureRequest) -> Begun:
    """A history of this seed's day, in a folder of this name and on a ledger of its own."""

    def begin(name: str, death: Death | None = None) -> AbstractContextManager[History]:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        if dialect == "sqlite":
            return history(folder, seed, death)
        return history(folder, seed, death, place_of(request.getfixturevalue("postgres").new()))

    return begin


@pytest.fixture
def census(figures: Figures, begun: Begun, dialect: str, seed: int) -> Counter[str]:
    """How often a house that lives passes each point on this seed's day."""
    if (dialect, seed) not in figures.censuses:
        with begun("census") as told:
            life = told.live()
            rig = told.aftermath()
        assert not life.killed
        assert_right(told, rig, seed)
        figures.censuses[dialect, seed] = life.passed + told.passed_at_server
    return figures.censuses[dialect, seed]


def assert_right(told: History, rig: Rig, seed: int) -> None:
    """The ledger is whole, nothing is double, nothing is lost, and nobody waited long."""
    assert told.intact() == "ok"
    invariants.check(rig)
    records, expected = rig.records(), day.expected(seed)
    assert records.keys() == expected.keys()
    wrong = {key: (r.stage, r.reason) for key, r in records.items() if r.stage not in expected[key]}
    assert not wrong
    again = {record.mark for record in records.values() if record.attempt > 1}
    assert unknown(rig) <= again, "a conversation that the ledger doesn't know, and no look in vain"
    assert_told(told, rig)
    assert all(life.ready_s < READY_S for life in told.lives if life.ready_s is not None)


def assert_told(told: History, rig: Rig) -> None:
    """Whose mail was delivered got it; a copy came only of a death, and was the same letter (S16, S27)."""
    by_key = defaultdict(list)
    for taken in told.letters():
        by_key[taken["key"]].append((taken["to"], taken["letter"]))
    for record in rig.records().values():
        copies = by_key.pop(record.key, [])
        assert len(set(copies)) <= 1
        assert {to for to, _ in copies} <= {f"{record.participant}@example.com"}
        assert len(copies) <= 1 + sum(life.killed for life in told.lives)
        if any(d.address.channel == "mail" and d.state == "delivered" for d in record.deliveries):
            assert copies, f"{record.key}: delivered, and nobody has it"
    assert not by_key


def unknown(rig: Rig) -> set[str]:
    """The marks of conversations that the ledger doesn't know: their rows came after the last look, and they
    were over before the next one."""
    records = rig.records().values()
    known = {r.conversation_id for r in records} | {s.conversation_id for r in records for s in r.strays}
    rooms = [room for room in rig.sandbox.rooms.values() if room.conversation_id not in known]
    return set(invariants.by_attempt(rooms))


def points(dialect: str) -> list[str]:
    """Those above, and where a ledger of this dialect is made."""
    made = (f"{name}: {when} commit" for name in MIGRATIONS[dialect] for when in ("before", "after"))
    return [*POINTS, *made]


def marks(dialect: str, seed: int, nth: int = 0) -> Sequence[pytest.MarkDecorator]:
    """What isn't in the quick part is marked."""
    return () if seed < QUICK[dialect] and nth % EACH[dialect] == 0 else (pytest.mark.long,)


DAYS = [pytest.param(d, seed, marks=marks(d, seed)) for d in QUICK for seed in range(LONG)]
DEATHS = [
    pytest.param(dialect, point, seed, marks=marks(dialect, seed, nth))
    for dialect in QUICK
    for nth, point in enumerate(points(dialect))
    for seed in range(LONG)
]


@pytest.mark.parametrize("dialect", QUICK)
def test_there_are_enough_points_and_each_is_named_once(dialect: str) -> None:
    assert len(points(dialect)) == len(set(points(dialect))) >= 40


@pytest.mark.parametrize(("dialect", "seed"), DAYS)
def test_every_point_is_passed_on_an_ordinary_day(census: Counter[str], dialect: str, seed: int) -> None:
    assert set(points(dialect)) - census.keys() == set()


@pytest.mark.parametrize(("dialect", "point", "seed"), DEATHS)
def test_killed(
    begun: Begun, census: Counter[str], figures: Figures, dialect: str, point: str, seed: int
) -> None:
    dice = random.Random(f"{point}/{seed}")
    # How many facts share a commit differs from run to run, so a late passing may not come: then the first.
    for nth in (dice.randint(1, census[point]), 1):
        with begun(f"{nth}", Death(point, nth)) as told:
            if told.live(None if point.startswith("server: ") else Death(point, nth)).killed:
                _recover(told, dice)
                rig = told.aftermath()
                break
    else:
        pytest.fail("nobody died")
    assert_right(told, rig, seed)
    figures.add(told, rig, point)


def _recover(told: History, dice: random.Random) -> None:
    """The next house, which may die as well; the one after it lives."""
    again = Death("*", dice.randint(1, 40)) if dice.random() < 0.6 else None
    for death in (again, None):
        told.clock.move(told.clock.now() + dice.choice(DOWN_S))
        if not told.live(death).killed:
            return
    raise AssertionError("the last house died as well")

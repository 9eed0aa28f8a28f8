"""A house that forgets: once a day, beside its turns, never with a clock that isn't believed."""

from __future__ import annotations

from types import SimpleNamespace

from scheduler.clock import Bell
from scheduler.daemon.pruning import EVERY_S, Pruning
from scheduler.ledger.audit import audit
from scheduler.ledger.pruning import PAGE
from scheduler.ledger.snapshot import Snapshot
from scheduler.telemetry import Telemetry
from tests.house.conftest import VirtualClock
from tests.house.teams import team

DAY, HOUR = 86_400.0, 3600.0
KEEP_S = 3 * DAY


def pruning(daemon, clock, keep_s=KEEP_S) -> Pruning:
    return Pruning(daemon.ledger, daemon, clock, Telemetry(), keep_s)


def day(rig) -> list[tuple[int, int]]:
    """(promised, pruned) by day."""
    with Snapshot.open(rig.place) as snapshot:
        return [(each.promised, sum(each.pruned.values())) for each in audit(snapshot).days]


class Errands:
    """A daemon as a tick sees it: when it was given something to do."""

    stopping = False
    ledger = None
    engine = SimpleNamespace(term=1)

    def __init__(self, clock) -> None:
        self._clock = clock
        self.given: list[float] = []

    def errand(self, work) -> None:
        work.close()
        self.given.append(self._clock.now())


async def test_days_later_the_first_one_is_forgotten_and_still_adds_up(rig, at) -> None:
    async with rig.open(rig.config(team(3))) as daemon:
        await rig.until(daemon, at + 12 * HOUR)
        forgets = pruning(daemon, rig.clock)
        await forgets.once()
        assert len(rig.records()) == 3
        await rig.until(daemon, at + 4 * DAY)
        before = rig.records()
        await forgets.once()
        left = rig.records()
    assert 0 < len(left) < len(before)
    assert min(record.due for record in left.values()) > at + 4 * DAY - KEEP_S - HOUR
    assert day(rig)[0] == (3, 3)
    rig.clean()


def test_it_goes_by_days_not_by_ticks(at) -> None:
    clock = VirtualClock(at)
    daemon = Errands(clock)
    forgets = pruning(daemon, clock)
    for hour in range(49):
        clock.move(at + hour * HOUR)
        clock.set_wall(clock.now() - 1)  # only the time that passes counts
        forgets.tick()
    assert [round((when - at) / EVERY_S, 2) for when in daemon.given] == [0, 1, 2]
    daemon.stopping = True
    clock.move(at + 9 * DAY)
    forgets.tick()
    assert len(daemon.given) == 3


async def test_turns_go_on_between_its_pages(rig, at) -> None:
    """Each page waits for its breath, in which a claim is made."""
    people = 2 * PAGE + 10
    async with rig.open(rig.config(team(people))) as daemon:
        await rig.until(daemon, at + 5 * HOUR)
        made: list[int] = []

        class Busy(VirtualClock):
            async def sleep_until(self, when: float | None, bell: Bell, at_most_s: float) -> bool:
                made.append(daemon.turns)
                await daemon.turn()
                return False

        busy = Busy(rig.clock.now())
        await pruning(daemon, busy, keep_s=HOUR).once()
        await rig.quiet(daemon)
    assert len(made) >= people // PAGE
    assert made == sorted(set(made))
    rig.clean()


async def test_a_clock_that_is_not_believed_forgets_nothing(rig, at) -> None:
    async with rig.open(rig.config(team(2))) as daemon:
        await rig.until(daemon, at + 3 * HOUR)
        rig.clock.set_wall(at + 400 * DAY)
        await daemon.turn()
        assert rig.holds() == ["clock_held"]
        await pruning(daemon, rig.clock).once()
        assert len(rig.records()) == 2


async def test_a_stop_ends_it_after_its_page(rig, at) -> None:
    async with rig.open(rig.config(team(2 * PAGE))) as daemon:
        await rig.until(daemon, at + 5 * HOUR)
        had = len(rig.records())
        daemon.stop()
        await pruning(daemon, rig.clock, keep_s=HOUR).once()
        assert had - len(rig.records()) == PAGE
    rig.clean()

"""The limits against a made-up account that turns away, is full, answers late and loses grants."""

from __future__ import annotations

import heapq
import random
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

import pytest

from scheduler.limits import Lane, Limits
from scheduler.model import Rate

ARRIVALS = 300
END_S = 100_000.0


@dataclass
class House:
    """Drives one Limits through events in the order of their time, as a daemon would."""

    rng: random.Random
    rate: Rate
    slots: int
    waiting: Counter[Lane] = field(default_factory=Counter)
    done: Counter[Lane] = field(default_factory=Counter)
    sendings: list[float] = field(default_factory=list)
    inspects: list[float] = field(default_factory=list)
    events: list[tuple[float, int, str, Lane, float]] = field(default_factory=list)
    held: int = 0
    next_look: float | None = None

    def __post_init__(self) -> None:
        self.limits = Limits(self.rate)
        self.order = count()
        for _ in range(ARRIVALS):
            lane = self.rng.choices(list(Lane), weights=(2, 1, 10, 2))[0]
            self.at(self.rng.choice((0.0, self.rng.uniform(0, 60))), "arrive", lane)

    def at(self, when: float, what: str, lane: Lane = Lane.END, sent_at: float = 0.0) -> None:
        heapq.heappush(self.events, (when, next(self.order), what, lane, sent_at))

    def run(self) -> None:
        while self.events or self.next_look is not None:
            now = self.next_look
            if now is None or (self.events and self.events[0][0] <= now):
                now, _, what, lane, sent_at = heapq.heappop(self.events)
                getattr(self, what)(now, lane, sent_at)
            assert now < END_S, f"still waiting: {self.waiting}"
            self.look(now)

    def look(self, now: float) -> None:
        # Fewer slots than the account has are free now and then, so that it is full before we know.
        admission = self.limits.admit(now, self.waiting, self.slots + 3 - self.held)
        for lane, grants in admission.granted.items():
            assert grants <= self.waiting[lane]
            self.waiting[lane] -= grants
            self.inspects += [now] * grants if lane is Lane.INSPECT else []
            self.held += grants if lane is Lane.CREATE else 0
            for _ in range(grants):
                self.at(now + self.rng.choice((0.0, self.rng.uniform(0, 0.8))), "leave", lane)
        assert self.limits.in_window(now) <= self.rate.count
        assert admission.next_at is None or admission.next_at > now
        self.next_look = admission.next_at

    def arrive(self, now: float, lane: Lane, _: float) -> None:
        self.waiting[lane] += 1

    def leave(self, now: float, lane: Lane, _: float) -> None:
        if self.rng.random() < 0.05:
            self.limits.unsent()
            self.again(lane)
            return
        self.limits.sent(now)
        self.sendings.append(now)
        self.at(now + self.rng.uniform(0.05, 2.0), "answer", lane, now)

    def answer(self, now: float, lane: Lane, sent_at: float) -> None:
        if self.rng.random() < 0.05:
            self.limits.turned_away(now, sent_at, self.rng.choice((None, 0.0, 3.0)))
            self.again(lane)
        elif lane is Lane.CREATE:
            self.created(now)
        else:
            self.limits.accepted()
            self.done[lane] += 1

    def created(self, now: float) -> None:
        if self.held > self.slots:
            self.limits.full(now)
            self.again(Lane.CREATE)
            return
        self.limits.opened()
        self.limits.accepted()
        self.done[Lane.CREATE] += 1
        self.at(now + self.rng.uniform(1, 20), "ended")

    def ended(self, now: float, lane: Lane, _: float) -> None:
        self.held -= 1

    def again(self, lane: Lane) -> None:
        self.waiting[lane] += 1
        self.held -= lane is Lane.CREATE


def most_within(times: list[float], length_s: float) -> int:
    """The most of these in any window of this length, both ends counted."""
    times = sorted(times)
    return max((i - bisect_left(times, at - length_s) + 1 for i, at in enumerate(times)), default=0)


@pytest.mark.parametrize("first_seed", range(0, 100, 10))
def test_no_window_holds_too_many_and_everybody_gets_through(first_seed):
    for seed in range(first_seed, first_seed + 10):
        rng = random.Random(seed)
        house = House(rng, Rate(rng.choice((1, 3, 10, 25)), rng.choice((1.0, 5.0))), rng.choice((2, 10, 40)))
        house.run()
        assert most_within(house.sendings, house.rate.per_s) <= house.rate.count
        assert most_within(house.inspects, house.rate.per_s) <= max(1, house.rate.count // 10)
        assert house.done.total() == ARRIVALS
        assert len(house.sendings) >= ARRIVALS

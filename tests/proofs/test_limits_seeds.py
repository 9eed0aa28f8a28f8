"""The limits alone, against a made-up account: 300 arrivals in their lanes, all goes wrong (S17, S18).

Each seed is one history: answers 429 with every kind of Retry-After and without, storms of them, an account
that is full before we know, grants that leave late or never, answers that are lost, a process that dies with
requests on the wire and begins again from what was sent. Whatever happens: no window holds too many sendings,
lanes and their lines keep their order, nobody waits for ever, and nobody waits while there is room.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count

import pytest

from scheduler.limits import Admission, Lane, Limits
from scheduler.limits.window import WIDENING
from scheduler.model import Rate

ARRIVALS = 300
END_S = 200_000.0
RETRY_AFTER_S = (None, None, 0.0, 1.0, 3.0, 30.0, -5.0, 1e9)
LONGEST_S = 300.0
UNGATED = (Lane.END, Lane.SURVEY)
"""Lanes that wait for nothing but the rate and the penalty."""


class History:
    """One seed: drives one Limits from event to event, as the daemon would, and watches it."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.rate = Rate(rng.choice((1, 3, 10, 25, 60)), rng.choice((1.0, 5.0, 60.0)))
        self.slots, self.slack = rng.choice((1, 2, 10, 40)), rng.choice((0, 0, 3))
        self.trouble, self.storm = rng.choice((0.0, 0.05, 0.2)), rng.choice((None, 20.0, 120.0))
        self.slowest_send_s = rng.choice((0.0, 0.2, 5.0))
        self.limits = Limits(self.rate)
        self.life, self.order = 0, count()
        self.events: list[tuple[float, int, int, Callable[[float], None]]] = []
        self.waiting: dict[Lane, list[int]] = {lane: [] for lane in Lane}
        self.begun: dict[Lane, dict[int, float]] = {lane: {} for lane in Lane}
        self.in_hand: dict[int, Lane] = {}
        self.sendings: list[float] = []
        self.inspects: list[float] = []
        self.outstanding = self.held = self.done = self.looks = 0
        self.obeyed_until = 0.0
        self.shut_at: float | None = None
        for ticket, at in enumerate(sorted(self._arrivals())):
            lane = rng.choices(list(Lane), weights=(2, 1, 10, 2))[0]
            self.at(at, partial(self.wait, lane, ticket), lasting=True)
        if rng.random() < 0.3:
            self.at(rng.uniform(0.5, 60), self.die, lasting=True)

    def _arrivals(self) -> list[float]:
        return [self.rng.choice((0.0, self.rng.uniform(0, 60))) for _ in range(ARRIVALS)]

    def at(self, when: float, what: Callable[[float], None], lasting: bool = False) -> None:
        """Do `what` then, unless the process is another one by that time."""
        life = -1 if lasting else self.life
        heapq.heappush(self.events, (when, next(self.order), life, what))

    def run(self) -> None:
        next_look: float | None = None
        while self.events or next_look is not None:
            now, what = next_look, None
            if now is None or (self.events and self.events[0][0] <= now):
                now, _, life, what = heapq.heappop(self.events)
                if life not in (-1, self.life):
                    continue
            assert now < END_S, f"still waiting: {self.waiting}"
            if what is not None:
                what(now)
            next_look = self.look(now)
        self.judge()

    def judge(self) -> None:
        assert self.done == ARRIVALS, f"waiting for ever: {self.waiting}"
        assert most_within(self.sendings, self.rate.per_s) <= self.rate.count
        assert self.looks < 200 * ARRIVALS, "it spins"
        for lane in Lane:
            begun = sorted(self.begun[lane])
            times = [self.begun[lane][ticket] for ticket in begun]
            assert times == sorted(times), f"{lane.name}: overtaken within the lane"

    # --- the daemon's part ------------------------------------------------------------------------

    def look(self, now: float) -> float | None:
        self.looks += 1
        free = self.slots + self.slack - self.held
        wanted = {lane: len(line) for lane, line in self.waiting.items()}
        admission = self.limits.admit(now, wanted, free)
        self.watch(now, wanted, free, admission)
        for lane, grants in admission.granted.items():
            for _ in range(grants):
                self.grant(now, lane, heapq.heappop(self.waiting[lane]))
        return admission.next_at

    def watch(self, now: float, wanted: dict[Lane, int], free: int, admission: Admission) -> None:
        granted = admission.granted
        total = sum(granted.values())
        left = {lane: wanted[lane] - granted[lane] for lane in Lane}
        room = self.rate.count - self.outstanding - total - self.within_window(now)
        assert min(left.values()) >= 0 and granted[Lane.CREATE] <= max(0, free)
        assert room >= 0 or not total, "more than the rate"
        assert not total or now >= self.obeyed_until, "granted while Retry-After holds"
        held_until = self.limits.held_until
        for lane in UNGATED:
            assert not left[lane] or not any(granted[each] for each in Lane if each > lane), "lanes' order"
            assert not left[lane] or room <= 0 or (held_until or 0) > now, "waits while there is room"
        gated = free - granted[Lane.CREATE] <= 0 or self.shut_at is not None
        assert gated or not left[Lane.CREATE] or room <= 0 or (held_until or 0) > now, "the line stays shut"
        assert self.limits.held_until is None or self.limits.held_until <= now + LONGEST_S
        assert admission.next_at is None or admission.next_at > now

    def within_window(self, now: float) -> int:
        length_s = self.rate.per_s * WIDENING
        return sum(at + length_s > now for at in self.sendings[-2 * self.rate.count :])

    def grant(self, now: float, lane: Lane, ticket: int) -> None:
        self.begun[lane].setdefault(ticket, now)
        self.in_hand[ticket] = lane
        self.outstanding += 1
        self.held += lane is Lane.CREATE
        delay_s = self.rng.choice((0.0, self.rng.uniform(0, self.slowest_send_s)))
        self.at(now + delay_s, partial(self.leave, lane, ticket, now))

    def wait(self, lane: Lane, ticket: int, now: float) -> None:
        heapq.heappush(self.waiting[lane], ticket)

    def again(self, lane: Lane, ticket: int) -> None:
        """Back to its own place in the line."""
        del self.in_hand[ticket]
        self.held -= lane is Lane.CREATE
        heapq.heappush(self.waiting[lane], ticket)

    def die(self, now: float) -> None:
        """SIGKILL, and a new process: it knows what was sent, and nothing of what was on its way."""
        self.life += 1
        self.limits, self.outstanding, self.obeyed_until, self.shut_at = Limits(self.rate), 0, 0.0, None
        recent = [at for at in self.sendings if at > now - 2 * self.rate.per_s]
        self.rng.shuffle(recent)
        self.limits.begin(recent)
        for ticket, lane in list(self.in_hand.items()):
            self.again(lane, ticket)

    # --- the outside ------------------------------------------------------------------------------

    def leave(self, lane: Lane, ticket: int, granted_at: float, now: float) -> None:
        self.outstanding -= 1
        if self.rng.random() < self.trouble:
            if self.rng.random() < 0.5:  # refused at the door, as a connection is
                self.limits.turned_away(now, None, None)
            self.limits.unsent(lane)
            self.no_verdict(lane, now)
            self.again(lane, ticket)
            return
        self.limits.sent(now)
        self.sendings.append(now)
        answer = partial(self.answer, lane, ticket, granted_at, now)
        self.at(now + self.rng.choice((0.05, self.rng.uniform(0, 3))), answer)

    def answer(self, lane: Lane, ticket: int, granted_at: float, sent_at: float, now: float) -> None:
        stormy = self.storm is not None and now < self.storm
        if self.rng.random() < (0.6 if stormy else self.trouble):
            self.turned_away(now, sent_at)
            self.undecided(lane, now)
        elif lane is Lane.CREATE and self.held > self.slots:
            self.limits.full(now)
            self.shut_at = now
        elif lane is Lane.CREATE and self.rng.random() < self.trouble:
            self.undecided(lane, now)
        else:
            self.succeed(lane, ticket, granted_at, now)
            return
        self.again(lane, ticket)

    def undecided(self, lane: Lane, now: float) -> None:
        if lane is Lane.CREATE:
            self.limits.undecided(now)
            self.no_verdict(lane, now)

    def no_verdict(self, lane: Lane, now: float) -> None:
        """Nobody can tell whether it was the head: one whose success is still to come opens nothing now."""
        if lane is Lane.CREATE and self.shut_at is not None:
            self.shut_at = now

    def turned_away(self, now: float, sent_at: float) -> None:
        retry_after_s = self.rng.choice(RETRY_AFTER_S)
        self.limits.turned_away(now, sent_at, retry_after_s)
        wait_s = max(0.0, min(LONGEST_S, retry_after_s or 0.0))
        self.obeyed_until = max(self.obeyed_until, now + wait_s)

    def succeed(self, lane: Lane, ticket: int, granted_at: float, now: float) -> None:
        del self.in_hand[ticket]
        self.limits.accepted()
        self.done += 1
        if lane is Lane.CREATE:
            self.limits.opened()
            if self.shut_at is not None and granted_at > self.shut_at:  # it was the head's
                self.shut_at = None
            self.at(now + self.rng.uniform(1, 20), self.ended, lasting=True)

    def ended(self, now: float) -> None:
        self.held -= 1


def most_within(times: list[float], length_s: float) -> int:
    """The most of these in any window of this length, both ends counted."""
    times = sorted(times)
    return max((i - bisect_left(times, at - length_s) + 1 for i, at in enumerate(times)), default=0)


def play(seed: int) -> History:
    """One seed's history; a failure says how to see it again."""
    history = History(seed)
    try:
        history.run()
    except Exception as error:
        command = f"python -c 'from tests.proofs.test_limits_seeds import play; play({seed})'"
        raise AssertionError(f"seed {seed}: {error}; again: {command}") from error
    return history


def play_all(seeds: range) -> Counter[str]:
    found: Counter[str] = Counter()
    for seed in seeds:
        history = play(seed)
        found.update(sendings=len(history.sendings), looks=history.looks, deaths=history.life, seeds=1)
    return found


def test_a_hundred_histories() -> None:
    found = play_all(range(100))
    assert found["sendings"] >= 100 * ARRIVALS
    assert found["deaths"] > 10


@pytest.mark.long
def test_ten_thousand_histories() -> None:
    print(f"\n{dict(play_all(range(10_000)))}")


def test_what_becomes_of_other_lanes_is_no_verdict_on_the_head() -> None:
    limits = Limits(Rate(100, 1.0))
    assert limits.admit(0.0, {Lane.CREATE: 1}, 5).granted[Lane.CREATE] == 1
    limits.full(0.0)
    assert limits.admit(3.0, {Lane.CREATE: 5}, 5).granted[Lane.CREATE] == 1
    limits.turned_away(3.5, 3.0, 0.0)
    limits.unsent(Lane.INSPECT)
    assert limits.admit(13.0, {Lane.CREATE: 5}, 5).granted[Lane.CREATE] == 0
    limits.opened()
    assert limits.admit(14.0, {Lane.CREATE: 5}, 5).granted[Lane.CREATE] == 5

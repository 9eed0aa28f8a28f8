"""Pause and resume, for everything, one schedule or one person (S5).

Whatever opens in a pause is skipped by the house as it opens; here the pause only begins and ends. Who may be
paused is who the configuration knows, but a pause of somebody who has gone can still be ended.
"""

from __future__ import annotations

from jobs.model import Instant
from scheduler.daemon.desk.means import Means, spoken
from scheduler.desk import Answer, Asker, Breadth, Effect, Pause, Refused, Scope

AHEAD_S = 10 * 366 * 86_400.0
"""A pause doesn't end further ahead."""


async def pause(means: Means, scope: Scope, until: Instant | None, asker: Asker) -> Answer:
    """Skip what opens from now on, until then."""
    now = means.clock.now()
    _known(means, scope)
    _to_come(until, now)
    before = await means.ledger.steering.pause(scope, until, asker, now)
    ends = f"until {spoken(until)}" if until is not None else "until it is resumed"
    if before is not None and before.until == until:
        told = f"{scope} is paused already, since {spoken(before.since)}, {ends}"
        return Answer(Effect.ALREADY, (told,))
    means.say("paused", scope=str(scope), until=until and spoken(until), **asker._asdict())
    means.ring()
    return Answer(Effect.DONE, (f"{scope} is paused {ends}; what opens meanwhile is skipped",))


async def resume(means: Means, scope: Scope, asker: Asker) -> Answer:
    """End the pause of this scope; what still stops something of it is told."""
    now = means.clock.now()
    before = await means.ledger.steering.resume(scope, asker, now)
    rest = [p for p in await means.ledger.steering.pauses(now) if _touches(p, scope)]
    still = tuple(f"{each.scope} is still paused, since {spoken(each.since)}" for each in rest)
    if before is None:
        _known(means, scope)
        return Answer(Effect.ALREADY, (f"no pause of {scope} is in force", *still))
    means.say("resumed", scope=str(scope), **asker._asdict())
    means.ring()
    return Answer(Effect.DONE, (f"{scope} is resumed; what was skipped meanwhile stays skipped", *still))


def _to_come(until: Instant | None, now: Instant) -> None:
    """Raise Refused for an end that is over, or that no calendar can show: before anything is written."""
    if until is not None and not until <= now + AHEAD_S:
        raise Refused("a pause ends within ten years; one without an end lasts until it is resumed")
    if until is not None and until <= now:
        over = spoken(until) if until > 0 else "that"
        raise Refused(f"{over} is over; a pause ends in time to come")


def _touches(pause: Pause, scope: Scope) -> bool:
    """Of everything: each part that is paused; of a part: everything."""
    return scope.breadth is Breadth.ALL or pause.scope.breadth is Breadth.ALL


def _known(means: Means, scope: Scope) -> None:
    """Raise Refused for a name that the configuration doesn't know."""
    if scope.breadth is Breadth.SCHEDULE and scope.name not in means.schedules:
        raise means.unknown("schedule", scope.name, sorted(means.schedules))
    if scope.breadth is Breadth.PARTICIPANT:
        people = {person.id for each in means.schedules.values() for person in each.participants}
        if scope.name not in people:
            raise means.unknown("participant", scope.name, sorted(people))

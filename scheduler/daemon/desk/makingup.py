"""Make-ups: what came to nothing is promised again on another date, because a person asks for it.

What would be promised is known before anything is written, so that a dry run says what the real one does.
What can be made up, and as what, is `scheduler.makeups`' to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from jobs.model import Instant
from scheduler import makeups
from scheduler.daemon.desk.means import Means, stands
from scheduler.desk import Answer, Asker, Effect, Missed, Pause, Refused
from scheduler.makeups import NotMadeUp
from scheduler.model import Occurrence
from scheduler.record import Record
from scheduler.zones import zone

DAY_S = 86_400.0
WEEK_S = 7 * DAY_S


@dataclass(frozen=True, slots=True)
class _Wish:
    """One record that is to be made up: by what, or why not."""

    record: Record
    promise: Occurrence | None = None
    made: Record | None = None
    why_not: str | None = None


async def make_up(
    means: Means, of: str | Missed, on: date, at: time | None, asker: Asker, *, dry_run: bool
) -> Answer:
    """Promise again what came to nothing."""
    now = means.clock.now()
    records = [await means.record(of)] if isinstance(of, str) else await _missed(means, of, now)
    wishes = [await _wish(means, record, on, at, now) for record in records]
    if isinstance(of, str) and wishes[0].why_not is not None:
        raise Refused(wishes[0].why_not)
    pairs = {w.promise.key: (w.record, w.promise) for w in wishes if w.promise is not None}
    told = tuple(_told(w) for w in wishes if w.promise is None)
    if not pairs:
        keys = tuple(w.made.key for w in wishes if w.made is not None)
        return Answer(Effect.ALREADY, told or (f"nothing was missed {_span(of)}",), keys)
    coming = [promise for _, promise in pairs.values()]
    paused = await _paused(means, coming, now)
    if dry_run:
        said = tuple(f"would promise {_spoken(each)}" for each in coming)
        return Answer(Effect.WOULD, (*said, *told, *paused), tuple(pairs))
    made = await means.ledger.steering.make_up(list(pairs.values()), means.schedules, asker, now)
    means.ring()
    said = tuple(f"promised {_spoken(each)}" for each in coming if each.key in made)
    beaten = tuple(f"{key} was made up by somebody else just now" for key in pairs if key not in made)
    return Answer(Effect.DONE if made else Effect.ALREADY, (*said, *beaten, *told, *paused), tuple(made))


async def _missed(means: Means, of: Missed, now: Instant) -> list[Record]:
    """The newest of each promise: what was made up and missed again stands for what it made up."""
    found = await means.ledger.steering.missed_since(*_bounds(of, now))
    if of.on is not None:
        found = [record for record in found if record.date == of.on.isoformat()]
    whole = {(r.schedule, makeups.slot_of(r), r.participant): r for r in found if not makeups.obstacle(r)}
    return list(whole.values())


def _bounds(of: Missed, now: Instant) -> tuple[Instant, Instant]:
    """A local date is somewhere for two days."""
    if of.on is None:
        return now - WEEK_S, now
    noon = datetime.combine(of.on, time(12), zone("UTC")).timestamp()
    return noon - 1.5 * DAY_S, noon + 1.5 * DAY_S


async def _wish(means: Means, record: Record, on: date, at: time | None, now: Instant) -> _Wish:
    if (obstacle := makeups.obstacle(record)) is not None:
        return _Wish(record, why_not=f"{record.key} {obstacle}")
    family = await means.ledger.steering.made_up(record)
    if (made := next(filter(makeups.stands, family), None)) is not None:
        return _Wish(record, made=made)
    try:
        promise = makeups.make_up(record, means.schedules.get(record.schedule), on, at, now)
    except NotMadeUp as error:
        return _Wish(record, why_not=f"{record.key} can't be made up: {error}")
    if any(each.key == promise.key for each in family):
        tried = "its make-up of that date came to nothing already; choose another date"
        return _Wish(record, why_not=f"{record.key} can't be made up: {tried}")
    return _Wish(record, promise)


def _told(wish: _Wish) -> str:
    if wish.made is not None:
        return f"{wish.record.key} is made up already: {wish.made.key} is {stands(wish.made)}"
    return wish.why_not or ""


def _span(of: str | Missed) -> str:
    day = None if isinstance(of, str) else of.on
    return f"on {day}" if day else "within the last week"


def _spoken(promise: Occurrence) -> str:
    local = datetime.fromtimestamp(promise.due, zone(promise.timezone))
    return f"{promise.key}, {local:%a %d %b %Y %H:%M} {promise.timezone}"


async def _paused(means: Means, coming: Sequence[Occurrence], now: Instant) -> tuple[str, ...]:
    """A make-up is skipped like any other promise if it opens in a pause."""
    pauses: Sequence[Pause] = await means.ledger.steering.pauses(now)
    opens = min(each.opens for each in coming)
    lasting = [p.scope for p in pauses if p.until is None or p.until > opens]
    return tuple(f"mind that {scope} is paused; what opens in a pause is skipped" for scope in lasting)

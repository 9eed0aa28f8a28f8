"""Skip, end, resend, retry: what a person asks of one promise.

A wish that makes no sense is refused beforehand, in words; whether it came in time is for the lifecycle to
say, in the ledger's transaction. When somebody else was quicker, the record is judged again as it was then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from jobs.model import Instant
from scheduler import makeups, planner
from scheduler.daemon.desk.means import Means, spoken, stands
from scheduler.desk import Answer, Asker, Effect, Refused
from scheduler.facts import Ask, Asked, CancelReason, Failed, Stage
from scheduler.ledger import Kept, Note, Noted
from scheduler.model import Occurrence, Schedule
from scheduler.record import DeliveryState, Record

Judge = Callable[[Record], Answer | None]
"""What is to be answered without doing anything; raises Refused. `None`: do it."""


async def skip(means: Means, key: str, asker: Asker) -> Answer:
    """Take a promise back, written or not."""
    if await means.ledger.record(key) is None and (answer := await _skip_ahead(means, key, asker)):
        return answer
    record = await means.record(key)
    if (answer := _skippable(record)) is None:
        (noted,) = await _noted(means, record, Asked(Ask.SKIP, *asker))
        answer = _outcome(noted, _skippable, f"{key} is taken back: no conversation is created")
    return answer


async def end(means: Means, key: str, asker: Asker) -> Answer:
    """End a conversation of ours, now."""
    record = await means.record(key)
    if (answer := _endable(record)) is None:
        (noted,) = await _noted(means, record, Asked(Ask.END, *asker))
        answer = _outcome(noted, _endable, f"{key}: its conversation is being ended")
    return answer


async def resend(means: Means, key: str, channel: str | None, asker: Asker) -> Answer:
    """Hand a link over again, while it is alive."""
    record, now = await means.record(key), means.clock.now()

    def judge(record: Record) -> Answer | None:
        return _resendable(record, channel, now)

    if (answer := judge(record)) is not None:
        means.ring()
        return answer
    noted, *unwritten = await _noted(means, record, Asked(Ask.RESEND, *asker, channel=channel))
    if failed := [each.note.fact.detail for each in unwritten if isinstance(each.note.fact, Failed)]:
        raise Refused(f"{key}: {'; '.join(failed)}")
    ways = ", ".join(_channels(noted.after, channel))
    dies = spoken(record.deliveries[0].not_after)
    return _outcome(noted, judge, f"{key}: its link goes out again by {ways}; it is alive until {dies}")


async def retry(means: Means, key: str, asker: Asker) -> Answer:
    """Put a failed promise back into line."""
    record, now = await means.record(key), means.clock.now()

    def judge(record: Record) -> Answer | None:
        return _retriable(record, now)

    if (answer := judge(record)) is not None:
        return answer
    stays = await asyncio.to_thread(_as_now, means.schedules, record)
    if stays is None or stays.skip is not None:
        raise Refused(f"{key} is not promised any more by the configuration; there is nothing to try again")
    note = Note(key, Asked(Ask.RETRY, *asker), now)
    noted = await means.ledger.steering.again(note, stays, means.schedules)
    means.ring()
    waits = (
        "in line again"
        if noted.after.stage is Stage.PLANNED
        else "looked for first, since an answer was lost"
    )
    return _outcome(noted, judge, f"{key} is {waits}; its window is open until {spoken(record.shuts)}")


# --- what may be asked of which record -------------------------------------------------------------


def _skippable(record: Record) -> Answer | None:
    if record.stage is Stage.PLANNED:
        return None
    if (record.stage, record.reason) == (Stage.CANCELLED, CancelReason.BY_PERSON):
        return Answer(Effect.ALREADY, (f"{record.key} was taken back already",), (record.key,))
    instead = {
        Stage.LIVE: f"`callboard end {record.key}` ends it",
        Stage.CREATING: "its conversation is being created; `callboard end` ends it once it is live",
    }
    raise Refused(
        f"{record.key} is {stands(record)}; {instead.get(record.stage, 'there is nothing left to skip')}"
    )


def _endable(record: Record) -> Answer | None:
    if record.stage is Stage.LIVE and record.end_asked_at is None:
        return None
    if record.stage is Stage.LIVE:
        return Answer(Effect.ALREADY, (f"{record.key} is being ended already",), (record.key,))
    if record.stage is Stage.ENDED:
        return Answer(Effect.ALREADY, (f"{record.key} is over already: {stands(record)}",), (record.key,))
    instead = {
        Stage.PLANNED: f"`callboard skip {record.key}` takes it back",
        Stage.CREATING: "its conversation is being created; try again in a moment",
    }
    nothing = "there is no conversation of it to end"
    raise Refused(f"{record.key} is {stands(record)}; {instead.get(record.stage, nothing)}")


def _resendable(record: Record, channel: str | None, now: Instant) -> Answer | None:
    if record.stage is not Stage.LIVE:
        raise Refused(
            f"{record.key} is {stands(record)}; only the link of a live conversation can be sent again"
        )
    if record.end_at is not None:
        raise Refused(f"{record.key} is being ended; nobody is called to it any more")
    chosen = [d for d in record.deliveries if channel in (None, d.address.channel)]
    if not chosen:
        ways = ", ".join(_channels(record, None)) or "nobody"
        raise Refused(f"{record.key} is not told by {channel or 'any channel'}; it is told by {ways}")
    if all(d.not_after < now for d in chosen):
        dead = spoken(chosen[0].not_after)
        raise Refused(f"the link of {record.key} was alive until {dead}; a make-up makes a new one")
    if any(d.state is not DeliveryState.OPEN for d in chosen):
        return None
    told = f"{record.key}: its link is on its way already by {', '.join(_channels(record, channel))}"
    return Answer(Effect.ALREADY, (told,), (record.key,))


def _retriable(record: Record, now: Instant) -> Answer | None:
    if record.stage in (Stage.PLANNED, Stage.CREATING):
        return Answer(
            Effect.ALREADY, (f"{record.key} is {stands(record)}: it is being tried",), (record.key,)
        )
    made_up = (
        f"; `callboard make-up {record.key} --on DATE` promises it anew"
        if not makeups.obstacle(record)
        else ""
    )
    if record.stage is not Stage.FAILED:
        raise Refused(f"{record.key} is {stands(record)}; only what has failed is tried again{made_up}")
    if record.conversation_id is not None:
        raise Refused(f"{record.key} had a conversation, and never gets a second one{made_up}")
    if now > record.shuts:
        raise Refused(f"the window of {record.key} shut at {spoken(record.shuts)}{made_up}")
    return None


def _channels(record: Record, channel: str | None) -> list[str]:
    return [d.address.channel for d in record.deliveries if channel in (None, d.address.channel)]


# --- doing it --------------------------------------------------------------------------------------


async def _skip_ahead(means: Means, key: str, asker: Asker) -> Answer | None:
    """Skip a promise that is not written yet; `None` when it is being written just now."""
    now = means.clock.now()
    promise = await asyncio.to_thread(planner.find, means.schedules.values(), key)
    if promise is None:
        raise Refused(f"{key} is in no schedule and not in the ledger; {await means.hint(key)}")
    if promise.shuts < now:
        raise Refused(f"{key} was never promised, and its time is over")
    if promise.skip is not None:
        return Answer(Effect.ALREADY, (f"{key} is not kept anyway: {promise.skip}",), (key,))
    kept = await means.ledger.steering.skip_ahead(promise, asker, now)
    if kept is Kept.WRITTEN:
        return None
    if kept is not Kept.NEW:
        return Answer(Effect.ALREADY, (f"{key} is taken back already, before its time has come",), (key,))
    means.say("skipped_ahead", key=key, **asker._asdict())
    return Answer(Effect.DONE, (f"{key} is taken back, before its time has come",), (key,))


def _as_now(schedules: Mapping[str, Schedule], record: Record) -> Occurrence | None:
    """A promise as these schedules have it."""
    found = planner.find(schedules.values(), record.key)
    return found or makeups.settled(schedules, record.key, record.due, record.timezone)


async def _noted(means: Means, record: Record, asked: Asked) -> list[Noted]:
    """Written, with the messages that it wants and each that can't be written."""
    note = Note(record.key, asked, means.clock.now())
    noted = await means.ledger.note(*await means.letters.frozen(record, note))
    means.ring()
    return noted


def _outcome(noted: Noted, judge: Judge, said: str) -> Answer:
    """What was said, if it was so: the record may have moved on since it was judged."""
    key = noted.note.key
    if noted.after != noted.before:
        return Answer(Effect.DONE, (said,), (key,))
    again = judge(noted.before)
    return again or Answer(Effect.ALREADY, (f"{key} is {stands(noted.before)}",), (key,))

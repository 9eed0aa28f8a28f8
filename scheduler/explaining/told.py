"""The links that the ledger tells: how a promise got its conversation and its link, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from jobs.errors import Reason
from jobs.model import Address, Instant
from scheduler.explaining.subject import Subject
from scheduler.explaining.timeline import Attempt, attempts, between_s, waited_s
from scheduler.explaining.values import Link, Part, Verdict
from scheduler.explaining.words import counted, lasting, listed
from scheduler.facts import (
    Failed,
    FailReason,
    Faulted,
    Found,
    GiveUpReason,
    Missed,
    MissReason,
    NothingThere,
    SkipReason,
    Stage,
)
from scheduler.record import Delivery, DeliveryState, Record

HOLDS, DELAYS, STOPS, OPEN = Verdict.HOLDS, Verdict.DELAYS, Verdict.STOPS, Verdict.OPEN
AT_ONCE_S = 1.0
"""A wait that is shorter than this was none."""
SLOW_POST_S = 5.0
_ROOM = (Reason.FULL,)
_NO_ROOM = {
    MissReason.LATE: "nobody was there to create it in time: the house was away, or asleep",
    MissReason.NO_CAPACITY: "it waited in line, and nothing became free",
    MissReason.DENIED: "creation was held: the key was refused",
    MissReason.SPENT: "creation was held: the account was out of credit",
    MissReason.CLOCK_HELD: "creation was held: the clock had jumped, and was not believed",
    MissReason.GAP: "the house was away for more than a week: this row stands for all that was missed",
}
_DEAD_LINK = {
    GiveUpReason.STALE: "the next try would have come after its link was dead",
    GiveUpReason.ENDED: "the conversation was over first",
    GiveUpReason.REFUSED: "it is not taken there",
    GiveUpReason.EXHAUSTED: "every try failed",
}


def capacity(s: Subject, record: Record) -> Link:
    """How long it stood in line, and for what."""
    return Link(Part.CAPACITY, *_capacity(s, record, attempts(s.story)))


def _capacity(s: Subject, record: Record, tries: list[Attempt]) -> tuple[Verdict, str]:
    if record.stage is Stage.SKIPPED and record.reason == SkipReason.OVERLAP:
        who = s.participant or s.name
        return STOPS, f"another conversation of {who} still ran, also after it was asked for"
    if record.stage is Stage.SKIPPED and record.reason == SkipReason.BUDGET:
        return STOPS, "its budget was used up"
    if record.stage is Stage.MISSED and record.reason in _NO_ROOM:
        return STOPS, f"{_NO_ROOM[MissReason(record.reason)]}{_turned_away(tries)}"
    if not tries:
        return _in_line(s, record)
    waited = waited_s(record.opens, tries)
    full_s = between_s(tries, *_ROOM)
    if waited < AT_ONCE_S and not full_s:
        return HOLDS, f"it went at once when it opened at {s.clock(record.opens)}"
    line = "went at once" if waited < AT_ONCE_S else f"waited {lasting(waited)} in line{_for(s, tries)}"
    full = f"; then {lasting(full_s)} since the account was full" if full_s else ""
    return DELAYS, f"opened at {s.clock(record.opens)}, {line}{full}"


def _in_line(s: Subject, record: Record) -> tuple[Verdict, str]:
    holds = [f"{reason} since {s.clock(since)}" for reason, since in s.known.holds]
    if holds:
        return DELAYS, f"creation is held: {', '.join(holds)}"
    waits_s = max(0.0, s.known.now - record.opens)
    turned = f", turned away ({record.turned_away})" if record.turned_away else ""
    return DELAYS, f"in line since {s.clock(record.opens)}, {lasting(waits_s)} so far{turned}"


def _for(s: Subject, tries: list[Attempt]) -> str:
    account = s.known.account
    if account is None or s.held is None:
        return ""
    cap = account.concurrent_conversations - account.reserve
    if s.held >= cap:
        return f" for a free conversation ({s.held:,} in use, {cap:,} allowed)"
    return f" for the request rate ({account.requests.count} in {account.requests.per_s:.0f} s)"


def _turned_away(tries: list[Attempt]) -> str:
    reasons = Counter(str(each.failed.reason) for each in tries if each.failed)
    told = [f"{counted(times, 'time')} {reason}" for reason, times in reasons.items()]
    return f"; turned away {listed(told)}" if told else ""


def post(s: Subject, record: Record) -> Link | None:
    """What the POSTs met; `None` when there was none."""
    tries = attempts(s.story)
    faults = [fact for _, fact in s.facts(Faulted) if fact.address is None]
    if not tries and not faults:
        return None
    return Link(Part.POST, *_post(s, record, tries, len(faults)))


def _post(s: Subject, record: Record, tries: list[Attempt], faults: int) -> tuple[Verdict, str]:
    told = [*_failures(s, tries)]
    if faults:
        told.append(f"{counted(faults, 'fault')} of our own")
    looks = sum(1 for _ in s.facts(NothingThere)) + sum(1 for _ in s.facts(Found))
    if looks:
        told.append(f"looked for {counted(looks, 'time')}")
    if record.created_at is not None and tries:
        found = "; its room was found" if any(s.facts(Found)) else ""
        told.append(f"sent at {s.clock(tries[-1].at)}, answered after {lasting(tries[-1].took_s)}{found}")
        slow = len(tries) > 1 or tries[-1].took_s >= SLOW_POST_S or bool(told[:-1])
        return DELAYS if slow else HOLDS, "; ".join(told)
    stopped = record.stage in (Stage.FAILED, Stage.MISSED)
    if record.reason == FailReason.UNKNOWN_OUTCOME:
        told.append("whether a conversation was made is not known")
    return STOPS if stopped else OPEN, "; ".join(told) or f"sent at {s.clock(tries[-1].at)}, no answer yet"


def _failures(s: Subject, tries: list[Attempt]) -> Iterator[str]:
    for each in tries:
        if each.failed is not None and each.over_at is not None:
            lost = "the answer was lost" if each.failed.reason is Reason.LOST else f"{each.failed.reason}"
            yield f"sent at {s.clock(each.at)}: {lost} after {lasting(each.took_s)} ({each.failed.detail})"


def delivery(s: Subject, record: Record) -> Link | None:
    """How the link reached each address; `None` when there is none to go to."""
    if not record.deliveries:
        return None
    verdicts = [_verdict(each) for each in record.deliveries]
    given_up = [verdict is STOPS for verdict in verdicts]
    worst = max(verdicts, key=(HOLDS, OPEN, DELAYS, STOPS).index)
    verdict = DELAYS if any(given_up) and not all(given_up) else worst
    return Link(Part.DELIVERY, verdict, "; ".join(_delivered(s, record, each) for each in record.deliveries))


def _verdict(each: Delivery) -> Verdict:
    if each.state is DeliveryState.GIVEN_UP:
        return STOPS
    if each.state is DeliveryState.OPEN:
        return DELAYS if each.tries else OPEN
    return DELAYS if each.tries else HOLDS


def _delivered(s: Subject, record: Record, each: Delivery) -> str:
    to = " ".join(filter(None, [each.address.channel, each.address.place]))
    failed = f", {counted(each.tries, 'try')} failed{_last_failure(s, each.address)}" if each.tries else ""
    if each.state is DeliveryState.OPEN:
        return f"{to}: open{failed}, next at {s.clock(each.due)}"
    when = f" at {s.clock(each.at)}" if each.at is not None else ""
    if each.state is DeliveryState.DELIVERED:
        return f"{to}{when}{_after(record, each.at)}{failed}"
    return f"{to}: given up{when}, {_DEAD_LINK[GiveUpReason(each.reason or 'stale')]}{failed}"


def _after(record: Record, at: Instant | None) -> str:
    if at is None or record.created_at is None or at - record.created_at < AT_ONCE_S:
        return ""
    return f", {lasting(at - record.created_at)} after the conversation was made"


def _last_failure(s: Subject, address: Address) -> str:
    details = [fact.detail for _, fact in s.facts(Failed) if fact.address == address]
    return f" ({details[-1]})" if details else ""


def outcome(s: Subject, record: Record) -> Link:
    """Where that leaves it."""
    return Link(Part.OUTCOME, *_outcome(s, record))


def _outcome(s: Subject, record: Record) -> tuple[Verdict, str]:
    made = _made(s, record)
    match record.stage:
        case Stage.PLANNED:
            return (
                OPEN,
                f"planned: it may be created from {s.clock(record.opens)} until {s.clock(record.shuts)}",
            )
        case Stage.CREATING:
            look = f"; it is looked for at {s.clock(record.look_at)}" if record.look_at else ""
            return OPEN, f"being created{look}"
        case Stage.LIVE:
            ends = s.clock((record.created_at or record.due) + record.max_call_s)
            return HOLDS, f"{made}; live, until {ends} at the latest"
        case Stage.ENDED:
            lasted = f" after {lasting(record.lasted_s)}" if record.lasted_s is not None else ""
            untold = record.reason in ("undelivered", "unseen")
            return STOPS if untold else HOLDS, f"{made}; ended ({record.reason}){lasted}"
        case Stage.MISSED:
            at = next((f" at {s.clock(at)}" for at, _ in s.facts(Missed)), "")
            return STOPS, f"missed ({record.reason}){at}: it could be created until {s.clock(record.shuts)}"
        case _:
            return STOPS, f"{record.stage} ({record.reason}): no conversation was made"


def _made(s: Subject, record: Record) -> str:
    if record.created_at is None:
        return "no conversation was made"
    late_s = record.lateness_s or 0.0
    late = f"{lasting(late_s)} late" if late_s >= AT_ONCE_S else "in time"
    return f"created at {s.clock(record.created_at)}, {late}"

"""Resuming the account: the holds that a person may lift, and those that only time lifts (S9, S14).

A hold that is lifted too early comes back with the next answer; nothing is created by that.
"""

from __future__ import annotations

from jobs.errors import Reason
from scheduler.daemon.desk.means import Means
from scheduler.desk import Answer, Asker, Effect, Refused
from scheduler.ledger import Hold

_NOT_BY_US = {
    "clock_held": "the clock is believed again when two minutes have passed quietly, or after a restart"
}


async def resume_account(means: Means, asker: Asker) -> Answer:
    """Lift what a person may lift."""
    now = means.clock.now()
    holds = (await means.ledger.look(now)).holds
    lifted = [hold for hold in holds if await _lifted(means, hold, asker)]
    stays = tuple(
        f"{each.reason} stays: {_NOT_BY_US[each.reason]}" for each in holds if each.reason in _NOT_BY_US
    )
    if not lifted and stays:
        raise Refused(stays[0])
    if not lifted:
        return Answer(Effect.ALREADY, ("nothing is held; conversations are created",))
    means.ring()
    told = {
        Reason.DENIED: "denied is lifted; if the key is still refused it is held again",
        Reason.SPENT: "spent is lifted; if there are still no credits it is held again",
    }
    return Answer(Effect.DONE, (*(told[Reason(each.reason)] for each in lifted), *stays))


async def _lifted(means: Means, hold: Hold, asker: Asker) -> bool:
    if hold.reason in _NOT_BY_US or not await means.ledger.lift(hold.reason, means.clock.now(), asker):
        return False
    means.say("lifted", reason=hold.reason, **asker._asdict())
    return True

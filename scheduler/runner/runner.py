"""One step of an occurrence: decide, act, record; and the one fence.

A pure function names the step, `perform` does it once, its outcome is noted. A request needs a grant, a
delivery is bounded by its link's life. Nothing is retried here: a retry is a due time in the ledger. The
one thing that is held on to in memory is an outcome that the ledger can't take just now, since a
conversation that was made must not be forgotten (S11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from jobs.errors import Reason, StepFailed
from jobs.model import (
    Address,
    Create,
    Deliver,
    End,
    Ended,
    Inspect,
    Instant,
    NotEnded,
    NotThere,
    Outcome,
    Page,
    Sent,
    Step,
    StillLive,
)
from jobs.model import Survey as PageStep
from scheduler import policy
from scheduler.clock import Bell, Clock
from scheduler.facts import Fact, Failed, Faulted, GaveUp, StepKind, StrayEnded, StrayKept
from scheduler.ledger import Ledger, LedgerFenced, LedgerUnavailable, Note, Outgoing
from scheduler.lifecycle import Next, next_delivery, next_step
from scheduler.record import Delivery, Record
from scheduler.runner.grant import Grant
from scheduler.runner.letters import Letters
from scheduler.runner.places import place
from scheduler.runner.survey import WANTS_ONE, Survey
from scheduler.runner.terms import Terms
from scheduler.templates import TemplateError

Perform = Callable[[Step, Sent], Awaitable[Outcome]]
"""The door to the outside world (`jobs.perform`)."""

OnHold = Callable[[Reason], Awaitable[None]]
"""Called when the API says that the whole account is denied or spent."""

WRITE_AGAIN_S = 1.0

T = TypeVar("T")


class Runner:
    """Carries out steps for records that the daemon names; `grant` is the right to one request."""

    def __init__(
        self,
        ledger: Ledger,
        perform: Perform,
        clock: Clock,
        terms: Terms,
        letters: Letters,
        on_hold: OnHold,
    ) -> None:
        self._ledger = ledger
        self._perform = perform
        self._clock = clock
        self._terms = terms
        self._letters = letters
        self._on_hold = on_hold

    @staticmethod
    def interrupted(record: Record, now: Instant) -> Note:
        """What a start says of a record whose POST the last process left behind: its outcome is
        unknown (S12). The attempt ends now, since the service may be at work on it still; a further
        start finds that written, and does not begin anew."""
        lost = Failed(StepKind.CREATE, Reason.LOST, "the process ended before the answer")
        return Note(record.key, lost, now, claim=record.attempted_at)

    async def create(self, record: Record, grant: Grant) -> None:
        """Post for a record that was just claimed, and note what came of it with what is to be delivered."""
        try:
            began = self._clock.now()
            fact, addresses = await self._attempt(record, grant)
            took_s = self._clock.now() - began
            note = Note(record.key, fact, self._clock.now(), addresses, took_s, claim=record.attempted_at)
            await self._note(*await self.written(lambda: self._letters.frozen(record, note)))
        except Exception as error:
            await self._fence(record.key, error, claim=record.attempted_at)
        finally:
            grant.close()

    async def ask(self, key: str, grant: Grant) -> None:
        """Make the one request that the record wants now, if it still wants one: End or Inspect."""
        try:
            record = await self._ledger.record(key)
            step = None if record is None else next_step(record, self._clock.now())
            if step is not None and step.kind is not StepKind.CREATE:
                await self._ask_after(key, step, grant)
        except LedgerUnavailable:
            await self._pause()  # it was only read: what is due is still due
        except Exception as error:
            await self._fence(key, error)
        finally:
            grant.close()

    async def deliver(self, outgoing: Outgoing) -> Fact | None:
        """Try a delivery once, or give it up when its link is dead; what was noted of it, if anything was."""
        record, address = outgoing.record, outgoing.address
        began = self._clock.now()
        try:
            want = next_delivery(record, address, began)
            if want is None:
                return None
            fact = want if isinstance(want, GaveUp) else await self._handed_over(outgoing, want)
            await self._note(_timed(record.key, fact, began, self._clock.now()))
        except LedgerUnavailable:
            await self._pause()  # its terms can't be read: it is still due
            return None
        except Exception as error:
            await self._fence(record.key, error, address)
            return None
        return fact

    async def page(self, survey: Survey, grant: Grant) -> None:
        """Read one page of a Survey; after the last one, note what the list says.

        Raises StepFailed and LedgerUnavailable: then the Survey is over, and its looks are still due.
        """
        step = survey.step
        if step is None:
            grant.close()
            return
        page = await self._listed(step, grant)
        if isinstance(page, Page):
            survey.take(page)
        if survey.step is None:
            await self._conclude(survey)

    async def probe(self, grant: Grant) -> None:
        """Ask for the shortest list there is: whether the key is accepted again. Raises StepFailed."""
        await self._listed(PageStep("active", 1, 1), grant)

    async def _listed(self, step: PageStep, grant: Grant) -> Outcome:
        """One page of the account's list. No record remembers this request, so the account does, whatever
        came of it: the next start must not send as if it had never been (S17)."""
        try:
            page = await self._granted(step, None, grant)
        except StepFailed:
            await self._ledger.surveyed(1, self._clock.now())
            raise
        await self._ledger.surveyed(1, self._clock.now())
        return page

    async def _conclude(self, survey: Survey) -> None:
        by_mark = await self._ledger.by_marks(survey.marks())
        live = await self._ledger.live()
        wanted = [r for r in by_mark.values() if r.stage in WANTS_ONE and r.generation is not None]
        to = {r.key: await self._terms.addresses(r) for r in wanted}
        known = {record.key: record for record in by_mark.values()}
        notes = list[Note]()
        for note in survey.notes(by_mark, live, to, self._clock.now()):
            notes += await self._letters.frozen(known[note.key], note) if note.key in to else (note,)
        if notes:
            await self._note(*notes)

    async def _attempt(self, record: Record, grant: Grant) -> tuple[Fact, tuple[Address, ...]]:
        """What came of the POST, and where its link goes."""
        try:
            addresses = await self._terms.addresses(record)
            request = await self._terms.request(record)
            outcome = await self._granted(Create(record.key, request), StepKind.CREATE, grant)
        except TemplateError as error:
            return Failed(StepKind.CREATE, Reason.REFUSED, str(error)), ()
        except LedgerUnavailable:  # the terms can't be read, so nothing was sent
            return Failed(StepKind.CREATE, Reason.BUSY, "the ledger can't be read"), ()
        except StepFailed as error:
            return Failed(StepKind.CREATE, error.reason, error.detail), ()
        return _fact(outcome), addresses

    async def _handed_over(self, outgoing: Outgoing, delivery: Delivery) -> Fact:
        """What came of the try. It ends with its link's life, whatever the channel does (S28)."""
        record, message = outgoing.record, outgoing.message
        person = await self._terms.participant(record)
        to, dies_at = delivery.address, delivery.not_after
        step = Deliver(record.key, person, to, record.url or "", dies_at, message)
        within_s = min(dies_at - self._clock.now(), policy.DELIVER_BOX_S)
        try:
            async with asyncio.timeout(within_s):
                return _fact(await self._perform(step, _no_request))
        except TimeoutError:
            return Failed(StepKind.DELIVER, Reason.LOST, f"no answer within {within_s:.0f} s", to)
        except StepFailed as error:
            told = (error.reason, error.detail, to, error.retry_after_s, error.blame)
            return Failed(StepKind.DELIVER, *told)

    async def _ask_after(self, key: str, step: Next, grant: Grant) -> None:
        asked = End(step.conversation_id) if step.kind is StepKind.END else Inspect(step.conversation_id)
        began = self._clock.now()
        try:
            fact = _fact(await self._granted(asked, step.kind, grant))
        except StepFailed as error:
            fact = Failed(step.kind, error.reason, error.detail)
        if step.stray:
            fact = _of_stray(step.conversation_id, fact)
        await self._note(_timed(key, fact, began, self._clock.now()))

    async def _granted(self, step: Step, kind: StepKind | None, grant: Grant) -> Outcome:
        """Perform a step that costs a request; the limits learn from its answer."""
        try:
            async with asyncio.timeout(policy.STEP_BOX_S):
                outcome = await self._perform(step, grant.sent)
        except TimeoutError:
            error = StepFailed(Reason.LOST, f"no answer within {policy.STEP_BOX_S:.0f} s")
            grant.failed(kind, error)
            raise error from None
        except StepFailed as error:
            grant.failed(kind, error)
            reason = error.reason
            if reason in (Reason.DENIED, Reason.SPENT):
                await self.written(lambda: self._on_hold(reason))
            raise
        finally:
            grant.close()
        grant.answered(kind)
        return outcome

    async def _note(self, *notes: Note) -> None:
        await self.written(lambda: self._ledger.note(*notes))

    async def written(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write what must not be forgotten, or read what must be known, however long the ledger is away; but
        as a leader who isn't one any more, never."""
        while True:
            try:
                return await write()
            except LedgerFenced:
                raise
            except LedgerUnavailable:
                await self._pause()

    async def _pause(self) -> None:
        await self._clock.sleep_until(self._clock.now() + WRITE_AGAIN_S, Bell(), WRITE_AGAIN_S)

    async def _fence(
        self, key: str, error: Exception, address: Address | None = None, claim: Instant | None = None
    ) -> None:
        """The one fence: the fault is recorded, this occurrence (or its one delivery) is postponed, the
        house lives on."""
        await self._note(Note(key, Faulted(place(error), address), self._clock.now(), claim=claim))


def _fact(outcome: Outcome) -> Fact:
    if isinstance(outcome, Page):
        raise TypeError("a page of the list is no fact of a record")
    return outcome


def _of_stray(conversation_id: str, fact: Fact) -> Fact:
    """What an answer about a stray means: it is over, or it is tried again."""
    if isinstance(fact, Ended | NotThere):
        return StrayEnded(conversation_id)
    told = {NotEnded: "end refused", StillLive: "still live"}
    detail = fact.detail if isinstance(fact, Failed) else told.get(type(fact), "unknown")
    return StrayKept(conversation_id, detail)


def _timed(key: str, fact: Fact, began: Instant, at: Instant) -> Note:
    return Note(key, fact, at, took_s=at - began)


def _no_request() -> None:
    """A delivery is no request of the account's."""

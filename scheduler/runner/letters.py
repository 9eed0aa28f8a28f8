"""What is handed over, frozen at the moment at which its conversation becomes known (S27).

A note that makes a conversation known is given the bytes of every message that it wants, so that they are
committed with it. Composing is injected; a message that can't be composed costs its own address and nothing
else. Nothing is sent here, and nothing kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jobs.errors import Blame, LetterError, Reason
from jobs.model import Address, Invitation, Wording
from scheduler import lifecycle
from scheduler.facts import Failed, StepKind
from scheduler.ledger import Note
from scheduler.record import DeliveryState, Record
from scheduler.runner.places import place
from scheduler.runner.terms import Terms

Compose = Callable[[Invitation, Address, Wording], bytes | None]
"""The message for one address, `None` where none is needed. Raises LetterError (`jobs.letter`)."""

WITHOUT = "log"
"""The channel that takes no message."""


class Letters:
    """Gives notes their messages."""

    def __init__(self, terms: Terms, compose: Compose) -> None:
        self._terms = terms
        self._compose = compose

    async def frozen(self, record: Record, note: Note) -> tuple[Note, ...]:
        """The note with the messages of the deliveries that it opens, and a note for each address that will
        get none; `record` is as it is before. Raises LedgerError."""
        after = lifecycle.apply(record, note.fact, note.at, note.addresses)
        wanted = [address for address in _opened(record, after) if address.channel != WITHOUT]
        if not wanted:
            return (note,)
        invitation, wording = await self._terms.invitation(after)
        messages, refused = dict[Address, bytes](), list[Note]()
        for address in wanted:
            written = self._written(invitation, address, wording)
            if isinstance(written, bytes):
                messages[address] = written
            elif written is not None:
                refused.append(Note(note.key, written, note.at))
        return (note._replace(messages=messages), *refused)

    def _written(self, invitation: Invitation, address: Address, wording: Wording) -> bytes | Failed | None:
        try:
            return self._compose(invitation, address, wording)
        except LetterError as error:
            why = str(error)
        except Exception as error:  # whatever is wrong with a letter, its conversation is not forgotten
            why = place(error)
        detail = f"no message can be written: {why}"
        return Failed(StepKind.DELIVER, Reason.REFUSED, detail, address, blame=Blame.SETUP)


def _opened(before: Record, after: Record) -> Iterator[Address]:
    """Where deliveries open by this: all of a conversation that was not known, and those that are to be
    handed over again."""
    known = after.conversation_id == before.conversation_id
    was = {d.address for d in before.deliveries if known and d.state is DeliveryState.OPEN}
    yield from (d.address for d in after.deliveries if d.state is DeliveryState.OPEN and d.address not in was)

"""The account: every conversation ever made, which are active, and how many slots are held.

It keeps indexes, so that no question scans all that ever was: endings wait in a heap and are noticed when
somebody asks (`settle`). A changed projection pushes a second entry; the one that no longer agrees with the
room's life is dropped when it comes up. No HTTP, no clock, no answers.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from jobs.model import Instant
from jobs.tavus.sandbox.life import Life, Shutdown, ending, is_over, joined, left, shut
from jobs.tavus.sandbox.plan import Plan
from jobs.tavus.sandbox.room import Event, Room, arrival, departure

Tell = Callable[[Room, Iterable[Event]], None]
"""Where events go as they arise (and may be due later)."""


class RoomClosed(Exception):
    """Nobody can come in: the conversation is over, or it holds as many as it may."""


class Account:
    """All conversations of one account. `settle(now)` comes before any question about them."""

    def __init__(self, plan: Plan, tell: Tell) -> None:
        self._plan = plan
        self._tell = tell
        self._rooms: dict[str, Room] = {}
        self._shown: dict[str, Room] = {}
        self._active: dict[str, Room] = {}
        self._endings: list[tuple[Instant, str]] = []
        self._releases: list[Instant] = []

    @property
    def rooms(self) -> Mapping[str, Room]:
        """Every conversation ever made, deleted ones too, by id, oldest first."""
        return MappingProxyType(self._rooms)

    def settle(self, now: Instant) -> None:
        """Notice what ended by `now`, tell of it, and give back the slots that are due."""
        while self._endings and self._endings[0][0] <= now:
            at, conversation_id = heapq.heappop(self._endings)
            if self._stands(at, conversation_id):
                self._close(self._active.pop(conversation_id))
        while self._releases and self._releases[0] <= now:
            heapq.heappop(self._releases)

    def next_change(self) -> Instant | None:
        """When, as far as is known, the next conversation ends or the next slot frees."""
        while self._endings and not self._stands(*self._endings[0]):
            heapq.heappop(self._endings)
        upcoming = [*(at for at, _ in self._endings[:1]), *self._releases[:1]]
        return min(upcoming, default=None)

    def is_full(self) -> bool:
        """Whether every slot of the plan is held by an active conversation or not free again yet."""
        return len(self._active) + len(self._releases) >= self._plan.concurrent

    def add(self, room: Room) -> None:
        """A new conversation; one in test mode is over at once and takes no slot."""
        self._rooms[room.conversation_id] = self._shown[room.conversation_id] = room
        if room.life.test_mode:
            room.ended = ending(room.life)
            return
        self._active[room.conversation_id] = room
        self._project(room)
        self._tell(room, arrival(room))

    def find(self, conversation_id: str) -> Room | None:
        """A conversation by its id, unless it was deleted or never made."""
        return self._shown.get(conversation_id)

    def listed(self, status: str | None) -> tuple[Iterator[Room], int]:
        """Conversations newest first, and how many there are. Ended ones are found by walking, so a caller
        should take no more than it needs."""
        if status == "active":
            return reversed(self._active.values()), len(self._active)
        newest_first = reversed(self._shown.values())
        if status is None:
            return newest_first, len(self._shown)
        return (room for room in newest_first if room.ended), len(self._shown) - len(self._active)

    def enter(self, room: Room, who: str, now: Instant) -> None:
        """Somebody comes in; raises RoomClosed when the conversation is over or full (the replica counts)."""
        most = room.body.get("max_participants")
        if is_over(room.life, now):
            raise RoomClosed("the conversation is over")
        if most is not None and len(room.life.present | {who}) + 1 > most:
            raise RoomClosed("the room is full")
        self._change(room, joined(room.life, who, now))

    def leave(self, room: Room, who: str, now: Instant) -> None:
        """Somebody goes; nothing happens if they weren't in."""
        self._change(room, left(room.life, who, now))

    def shut(self, room: Room, reason: str, now: Instant) -> None:
        """The conversation ends now, unless it had ended."""
        self._change(room, shut(room.life, reason, now))
        self.settle(now)

    def delete(self, room: Room, now: Instant) -> None:
        """The conversation is shown no more; an active one ends, since its room is gone."""
        self.shut(room, Shutdown.ROOM_DELETED, now)
        room.deleted_at = now
        del self._shown[room.conversation_id]

    def _change(self, room: Room, life: Life) -> None:
        if life != room.life:
            room.life = life
            self._project(room)

    def _project(self, room: Room) -> None:
        heapq.heappush(self._endings, (ending(room.life).at, room.conversation_id))

    def _stands(self, at: Instant, conversation_id: str) -> bool:
        room = self._active.get(conversation_id)
        return room is not None and ending(room.life).at == at

    def _close(self, room: Room) -> None:
        room.ended = ending(room.life)
        heapq.heappush(self._releases, room.ended.at + self._plan.release_lag_s)
        self._tell(room, departure(room))

"""Ways for a house to die in a test: at the n-th outside call or commit, before it or after it."""

from __future__ import annotations

from contextlib import contextmanager

from scheduler.ledger.sqlite import SqliteDriver
from tests.house.conftest import Crash


class Fuse:
    """Burns at the n-th time it is passed, once."""

    def __init__(self, n: int) -> None:
        self.left = n

    def passed(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash


def wrapped(fuse: Fuse, before: bool):
    def wrap(perform):
        async def performed(step, sent):
            if before:
                fuse.passed()
            outcome = await perform(step, sent)
            if not before:
                fuse.passed()
            return outcome

        return performed

    return wrap


def burning(fuse: Fuse, before: bool):
    class Burning(SqliteDriver):
        @contextmanager
        def transaction(self):
            with super().transaction():
                yield
                if before:
                    fuse.passed()
            if not before:
                fuse.passed()

    return Burning


async def crashed(rig, config, end) -> bool:
    try:
        async with rig.open(config) as daemon:
            await rig.until(daemon, end)
    except (Crash, BaseExceptionGroup) as error:
        assert isinstance(error, Crash) or error.split(Crash)[0] is not None, error
        return True
    return False

"""Ways for a house to die in a test: at the n-th outside call or commit, before it or after it."""

from __future__ import annotations

from contextlib import contextmanager

from tests.house.conftest import Crash
from tests.house.places import driver_of


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
    def opened(place):
        class Burning(driver_of(place)):
            def transaction(self):
                return burns(super().transaction())

            def reading(self):
                return burns(super().reading())

        return Burning(place)

    @contextmanager
    def burns(inner):
        with inner:
            yield
            if before:
                fuse.passed()
        if not before:
            fuse.passed()

    return opened


async def crashed(rig, config, end) -> bool:
    try:
        async with rig.open(config) as daemon:
            await rig.until(daemon, end)
    except (Crash, BaseExceptionGroup) as error:
        assert isinstance(error, Crash) or error.split(Crash)[0] is not None, error
        return True
    return False

"""Long runs are run by hand: `pytest -m long` (their last figures are in `tests/README.md`)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import Server, served


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `long`, unless the command names marks itself."""
    if config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL for this session; each test takes a `new` database of it."""
    with served() as server:
        yield server

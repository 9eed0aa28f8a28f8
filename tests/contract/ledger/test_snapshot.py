"""Reading beside the writer: one moment, whole, also after a clean close and where nothing may be written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from jobs.model import Delivered
from scheduler.facts import Attempted, Missed, MissReason
from scheduler.ledger import (
    Hold,
    Ledger,
    LedgerDamaged,
    LedgerError,
    LedgerMismatch,
    LedgerUnavailable,
    Note,
    Place,
)
from scheduler.ledger.connecting import connect
from scheduler.ledger.snapshot import PAGE, Filters, Snapshot
from tests.contract.ledger.world import (
    BASE_URL,
    BIRTH,
    DUE,
    LINK,
    LOG,
    claimed,
    created,
    have,
    made_live,
    occurrence,
    only_sqlite,
    promised,
)

Open = Callable[[], Snapshot]
Unprivileged = Callable[[Path], AbstractContextManager[None]]


async def test_it_shows_one_moment_while_the_ledger_is_written(ledger: Ledger, snapshot: Open) -> None:
    await promised(ledger, occurrence("ana"))
    with snapshot() as before:
        await made_live(ledger, "ana")
        await promised(ledger, occurrence("ben"))
        assert before.counts() == {("coach", "2026-03-04"): {"planned": 1}}
        assert before.tallies() == {("coach", "2026-03-04"): 1}
        assert [record.stage for record in before.records()] == ["planned"]
        with snapshot() as after:
            assert after.tallies() == {("coach", "2026-03-04"): 2}
            assert after.counts() == {("coach", "2026-03-04"): {"live": 1, "planned": 1}}


async def test_a_reader_never_holds_up_the_writer(ledger: Ledger, snapshot: Open) -> None:
    await promised(ledger, *(occurrence(f"p{n:03}") for n in range(PAGE + 1)))
    with snapshot() as seen:
        reading = seen.records()
        next(reading)
        (key,) = await claimed(ledger, 1)
        await ledger.note(created(key))
        assert len([*reading]) == PAGE


async def test_what_is_not_committed_is_not_there(ledger: Ledger, snapshot: Open) -> None:
    with snapshot() as seen:
        assert [*seen.records()] == []
        assert (seen.tallies(), seen.holds(), [*seen.stories()]) == ({}, [], [])


async def test_records_come_whole_by_due_time_in_pages(ledger: Ledger, snapshot: Open) -> None:
    people = [occurrence(f"p{n:04}", due=DUE + n % 7) for n in range(2 * PAGE + 3)]
    await promised(ledger, *people)
    (key, *_) = await claimed(ledger, 3)
    await ledger.note(created(key), Note(key, Delivered(LOG), DUE + 1))
    with snapshot() as seen:
        records = [*seen.records()]
        assert [r.key for r in records] == [o.key for o in sorted(people, key=lambda o: (o.due, o.key))]
        assert records[0] == await have(ledger, key) == seen.record(key)
        assert records[0].deliveries[0].state == "delivered"
        assert seen.record("no/such/key/-") is None
        assert len(seen.keys()) == len(people)


async def test_filters_narrow_what_is_read(ledger: Ledger, snapshot: Open) -> None:
    await made_live(ledger, "ana", "ben")
    await promised(ledger, occurrence("ana", "loose"), occurrence("cai"))
    other_day = occurrence("ana", slot="x")._replace(date="2026-03-05")
    await promised(ledger, other_day)
    filters = {
        "live": Filters(stage="live"),
        "ana": Filters(participant="ana"),
        "loose": Filters(schedule="loose"),
        "day": Filters(date="2026-03-05"),
        "both": Filters(stage="live", participant="ana"),
        "none": Filters(stage="ended"),
    }
    with snapshot() as seen:
        found = {name: len([*seen.records(each)]) for name, each in filters.items()}
    assert found == {"live": 2, "ana": 3, "loose": 1, "day": 1, "both": 1, "none": 0}


async def test_a_story_is_told_in_order_and_without_links(ledger: Ledger, snapshot: Open) -> None:
    (key,) = await made_live(ledger, "ana")
    await ledger.hold("denied", DUE)
    (other,) = await promised(ledger, occurrence("ben"))
    await ledger.note(Note(key, Delivered(LOG), DUE - 5), Note(other, Missed(MissReason.LATE), DUE))
    with snapshot() as seen:
        story = seen.story(key)
        assert [told.kind for told in story] == ["attempted", "created", "delivered"]
        assert isinstance(story[0].fact, Attempted)
        assert (story[1].addresses, story[2].at) == ((LOG,), DUE - 5)
        assert LINK not in repr(story)
        assert dict(seen.stories()) == {key: story, other: seen.story(other)}
        assert seen.holds() == [Hold("denied", DUE)]


# --- files ---


def show_only(path: Path) -> None:
    """Everybody may read it, and nobody may write it or beside it."""
    path.chmod(0o444)
    path.parent.chmod(0o555)


@only_sqlite
async def test_after_a_clean_close_it_can_be_read(ledger: Ledger, path: Path, snapshot: Open) -> None:
    await made_live(ledger, "ana")
    ledger.close()
    assert [each.name for each in path.parent.iterdir() if "-" in each.name] == []
    for _ in range(2):
        with snapshot() as seen:
            assert [record.stage for record in seen.records()] == ["live"]


async def test_a_closed_ledger_can_be_read_where_nothing_may_be_written(
    open_folder: Path, unprivileged: Unprivileged
) -> None:
    path = open_folder / "callboard.db"
    ledger = Ledger.open(path, BASE_URL, BIRTH)
    await promised(ledger, occurrence("ana"))
    ledger.close()
    show_only(path)
    with unprivileged(open_folder), Snapshot.open(path) as seen:
        assert [record.stage for record in seen.records()] == ["planned"]


async def test_a_ledger_in_use_that_may_not_be_shared_is_not_guessed_at(
    open_folder: Path, unprivileged: Unprivileged
) -> None:
    path = open_folder / "callboard.db"
    ledger = Ledger.open(path, BASE_URL, BIRTH)
    await promised(ledger, occurrence("ana"))
    path.chmod(0o444)
    with unprivileged(open_folder), pytest.raises(LedgerUnavailable):
        Snapshot.open(path)
    ledger.close()


def test_where_no_ledger_is_none_is_made(
    tmp_path: Path, open_folder: Path, unprivileged: Unprivileged
) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    with unprivileged(open_folder):
        for path in (tmp_path / "none.db", tmp_path, closed / "callboard.db"):
            with pytest.raises(LedgerError, match="no ledger there"):
                Snapshot.open(path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("content", [b"", b"hello\n" * 1000])
def test_another_file_is_no_ledger(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(LedgerDamaged):
        Snapshot.open(path)
    assert path.read_bytes() == content


async def test_a_ledger_of_another_version_is_not_guessed_at(ledger: Ledger, place: Place) -> None:
    ledger.close()
    driver = connect(place)
    driver.migrated(9999)
    driver.close()
    with pytest.raises(LedgerMismatch, match="version 9999"):
        Snapshot.open(place)

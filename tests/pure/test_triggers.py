"""Every form of `when`, its bounds and exclusions, and each date exactly once (S1-S3, S10)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.model import Cron, Days, Every, Exclusion, Fold, Form, Gap, Monthly, On, Slot, When
from scheduler.triggers import Moment, check, moment, moments
from scheduler.zones import is_zone, tz_version, zone, zone_names

MORNING = (Slot("09:00", time(9)),)
YORK = "America/New_York"


def instant(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def listed(when: When, first: str, last: str) -> list[Moment]:
    """All moments of the UTC dates from `first` to `last`, both inclusive."""
    return list(moments(when, when.timezone, instant(first), instant(last) + 86399))


def dates(form: Form, first: str, last: str, timezone: str = "UTC") -> list[str]:
    return [each.date for each in listed(When(form, timezone), first, last)]


def local(each: Moment) -> str:
    return datetime.fromtimestamp(each.at, zone(each.timezone)).strftime("%m-%d %H:%M")


@pytest.mark.parametrize(
    ("form", "first", "last", "expected"),
    [
        (Days(frozenset({0, 2}), MORNING), "2026-11-30", "2026-12-09", "11-30 12-02 12-07 12-09"),
        (Days(frozenset(range(7)), MORNING), "2028-02-28", "2028-03-01", "02-28 02-29 03-01"),
        (Cron("0", "9", "*", "*", "mon-fri"), "2026-12-04", "2026-12-08", "12-04 12-07 12-08"),
        (Cron("0", "9", "*", "*", "mon"), "2026-12-01", "2026-12-14", "12-07 12-14"),
        (Cron("0", "9", "31", "*", "*"), "2027-01-01", "2027-05-31", "01-31 03-31 05-31"),
        (Cron("0", "9", "29", "feb", "*"), "2027-01-01", "2028-12-31", "02-29"),
        (Cron("0", "9", "*/10", "6", "*"), "2027-01-01", "2027-12-31", "06-01 06-11 06-21"),
        (Cron("0", "9", "30", "2", "*"), "2027-01-01", "2029-12-31", ""),
        (Monthly("last", MORNING), "2028-01-01", "2028-04-30", "01-31 02-29 03-31 04-30"),
        (Monthly("1", MORNING), "2026-12-01", "2027-02-28", "12-01 01-01 02-01"),
        (Monthly("1st mon", MORNING), "2026-12-01", "2027-02-28", "12-07 01-04 02-01"),
        (Monthly("last fri", MORNING), "2026-12-01", "2027-02-28", "12-25 01-29 02-26"),
        (Monthly("5th fri", MORNING), "2027-01-01", "2027-04-30", "01-29 04-30"),
    ],
)
def test_the_dates_of_each_form(form: Form, first: str, last: str, expected: str) -> None:
    assert [each[5:] for each in dates(form, first, last)] == expected.split()


def test_cron_names_its_slots_by_local_time() -> None:
    when = When(Cron("0,30", "9-10", "*", "*", "*"), "Asia/Kathmandu")
    found = listed(when, "2026-12-01", "2026-12-01")
    assert [each.slot for each in found] == ["09:00", "09:30", "10:00", "10:30"]
    assert found[0].at == instant("2026-12-01T03:15")


def test_on_is_local_and_may_have_seconds() -> None:
    form = On((datetime(2026, 12, 1, 15, 0, 30), datetime(2026, 12, 1, 9)))
    found = listed(When(form, YORK), "2026-12-01", "2026-12-02")
    assert [(each.slot, each.at) for each in found] == [
        ("09:00", instant("2026-12-01T14:00")),
        ("15:00:30", instant("2026-12-01T20:00:30")),
    ]


def test_every_counts_from_the_epoch_and_is_named_in_utc() -> None:
    when = When(Every(7 * 3600, 30), YORK)
    found = listed(when, "2026-12-01", "2026-12-03")
    assert {each.at % (7 * 3600) for each in found} == {30}
    assert len(found) == 10
    assert all(each.slot.endswith(":00:30Z") for each in found)
    assert list(moments(when, YORK, found[4].at, found[6].at)) == found[4:7]
    quarter = moments(When(Every(900), YORK), YORK, instant("2026-12-01T23:45"), instant("2026-12-02T00:00"))
    assert [(each.slot, each.date) for each in quarter] == [
        ("23:45Z", "2026-12-01"),
        ("00:00Z", "2026-12-02"),
    ]


def test_bounds_are_local_dates_and_both_inclusive() -> None:
    bounds = {"first": date(2026, 12, 2), "last": date(2026, 12, 3)}
    days = When(Days(frozenset(range(7)), MORNING), "Pacific/Auckland", **bounds)
    assert [each.date for each in listed(days, "2026-11-01", "2026-12-31")] == ["2026-12-02", "2026-12-03"]
    hours = listed(When(Every(3600), "Pacific/Auckland", **bounds), "2026-11-01", "2026-12-31")
    assert (local(hours[0]), local(hours[-1]), len(hours)) == ("12-02 00:00", "12-03 23:00", 48)
    assert hours[0].date == "2026-12-01"


def test_what_is_excluded_still_comes_out_with_its_reason() -> None:
    holidays = (Exclusion(date(2026, 12, 24), date(2026, 12, 25), "holidays"),)
    when = When(Days(frozenset(range(7)), MORNING), YORK, exclusions=holidays)
    found = listed(when, "2026-12-23", "2026-12-26")
    assert [each.date[8:] for each in found if each.skip] == ["24", "25"]
    assert {(each.skip, each.note) for each in found} == {(None, None), ("excluded", "excluded")}
    assert all(
        each.skip is None or local(each) > "12-24"
        for each in listed(When(Every(3600), YORK, exclusions=holidays), "2026-12-23", "2026-12-25")
    )


@pytest.mark.parametrize(
    ("timezone", "wall", "options", "expected"),
    [
        (YORK, "2026-03-08T02:30", {}, ("03-08 03:30", None, "gap")),
        (YORK, "2026-03-08T02:30", {"gap": Gap.FIRST_VALID}, ("03-08 03:00", None, "gap")),
        (YORK, "2026-03-08T02:30", {"gap": Gap.SKIP}, ("03-08 03:30", "date_absent", "gap")),
        (YORK, "2026-11-01T01:30", {}, ("11-01 01:30", None, "fold")),
        (YORK, "2026-11-01T01:30", {"gap": Gap.SKIP}, ("11-01 01:30", None, "fold")),
        ("Australia/Lord_Howe", "2025-10-05T02:15", {}, ("10-05 02:45", None, "gap")),
        ("America/Sao_Paulo", "2018-11-04T00:00", {}, ("11-04 01:00", None, "gap")),
        ("Africa/Casablanca", "2025-02-23T02:30", {}, ("02-23 02:30", None, "fold")),
        ("Pacific/Apia", "2011-12-30T09:00", {}, ("12-31 09:00", "date_absent", "date_absent")),
        ("Pacific/Apia", "2011-12-31T09:00", {}, ("12-31 09:00", None, None)),
        ("America/Vancouver", "2026-12-01T09:00", {}, ("12-01 09:00", None, None)),
    ],
)
def test_clock_changes(timezone: str, wall: str, options: dict[str, Gap], expected: tuple[str, ...]) -> None:
    at = datetime.fromisoformat(wall)
    when = When(On((at,)), timezone, **options)
    (found,) = listed(when, str(at.date() - timedelta(days=3)), str(at.date() + timedelta(days=3)))
    assert (found.date, found.slot) == (str(at.date()), f"{at:%H:%M}")
    assert (local(found), found.skip, found.note) == expected


def test_vancouver_has_no_winter_time_since_2026() -> None:
    """Data of 2025 says 17:00; the newer of two versions has to be the one that is read (S3)."""
    (found,) = listed(When(On((datetime(2026, 12, 1, 9),)), "America/Vancouver"), "2026-12-01", "2026-12-01")
    assert found.at == instant("2026-12-01T16:00")
    assert tz_version() >= "2026b"


def test_a_cron_time_that_exists_twice_is_one_promise() -> None:
    found = listed(When(Cron("*/30", "*", "*", "*", "*"), YORK), "2026-11-01", "2026-11-02")
    assert len({(each.slot, each.date) for each in found}) == len(found)
    assert [each.slot for each in found if each.note] == ["01:00", "01:30"]


@pytest.mark.parametrize("gap", [Gap.SHIFT, Gap.FIRST_VALID])
@pytest.mark.parametrize("fold", Fold)
@pytest.mark.parametrize(
    ("timezone", "first", "second"),
    [
        ("America/Toronto", "1919-03-30", "1919-03-31"),  # 23:30 to 00:30 did not exist
        ("America/Nuuk", "2025-03-29", "2025-03-30"),  # 23:00 to midnight did not exist
        ("America/St_Johns", "2006-10-28", "2006-10-29"),  # 23:01 to 00:01 came twice
    ],
)
def test_a_change_across_midnight_loses_nothing_and_keeps_the_order(
    timezone: str, first: str, second: str, gap: Gap, fold: Fold
) -> None:
    written = [f"{first}T23:20", f"{first}T23:45", f"{second}T00:00", f"{second}T00:10", f"{second}T00:35"]
    form = On(tuple(datetime.fromisoformat(each) for each in written))
    when = When(form, timezone, gap=gap, fold=fold)
    whole = listed(when, first, second)
    assert sorted(f"{each.date}T{each.slot}" for each in whole) == written
    assert [each.at for each in whole] == sorted(each.at for each in whole)
    edges = range(int(instant(first)), int(instant(second)) + 86400, 300)
    parts = [moments(when, timezone, low, low + 299) for low in edges]
    assert [each for part in parts for each in part] == whole


zones = st.sampled_from(sorted(zone_names()))
walls = st.lists(st.times().map(lambda at: at.replace(microsecond=0)), min_size=1, max_size=4, unique=True)
starts = st.integers(366 * 86400, 2**31).map(float)
around = st.sampled_from(
    [("Pacific/Apia", "2011-12-29"), ("America/St_Johns", "2006-10-28"), ("America/Havana", "2024-11-02")]
).map(lambda case: (case[0], instant(case[1])))


@given(
    where=st.one_of(around, st.tuples(zones, starts)),
    times=walls,
    gap=st.sampled_from(Gap),
    fold=st.sampled_from(Fold),
    cuts=st.lists(st.integers(0, 5 * 86400), max_size=5),
)
@settings(max_examples=200, deadline=None)
def test_each_date_once_in_order_however_the_window_is_cut(
    where: tuple[str, float], times: list[time], gap: Gap, fold: Fold, cuts: list[int]
) -> None:
    timezone, start = where
    slots = tuple(Slot(at.isoformat(), at) for at in times)
    when = When(Days(frozenset(range(7)), slots), timezone, gap=gap, fold=fold)
    whole = list(moments(when, timezone, start, start + 5 * 86400))
    assert [each.at for each in whole] == sorted(each.at for each in whole)
    seen = [(each.slot, each.date) for each in whole]
    assert len(set(seen)) == len(seen)
    inner = sorted({date for _, date in seen})[1:-1]
    assert all((slot.name, day) in seen for slot in slots for day in inner)
    edges = [start - 1, *sorted({start + cut for cut in cuts}), start + 5 * 86400]
    pieces = [moments(when, timezone, low + 1, high) for low, high in pairwise(edges)]
    assert [each for piece in pieces for each in piece] == whole
    for each in whole:
        assert moment(when, timezone, each.slot, date.fromisoformat(each.date)) == each
        shown = datetime.fromtimestamp(each.at, zone(timezone)).date().isoformat()
        assert shown == each.date or each.note in ("gap", "date_absent")


@pytest.mark.parametrize(
    ("form", "slot", "day", "known"),
    [
        (Every(900), "14:15Z", date(2026, 12, 1), True),
        (Every(900), "14:15:00Z", date(2026, 12, 1), False),
        (Every(900), "14:20Z", date(2026, 12, 1), False),
        (Every(900), "14:15", date(2026, 12, 1), False),
        (Every(900), "morning", date(2026, 12, 1), False),
        (Days(frozenset({1}), MORNING), "09:00", date(2026, 12, 1), True),
        (Days(frozenset({1}), MORNING), "09:00", date(2026, 12, 2), False),
        (Days(frozenset({1}), MORNING), "10:00", date(2026, 12, 1), False),
    ],
)
def test_one_moment_by_its_name(form: Form, slot: str, day: date, known: bool) -> None:
    found = moment(When(form, "UTC"), "UTC", slot, day)
    assert (found is not None) == known
    assert found is None or (found.slot, found.date) == (slot, str(day))


def test_an_expression_that_can_be_read_passes() -> None:
    check(Cron("*/5", "8-18", "*", "jan-mar", "mon-fri"))
    check(Monthly("last fri", MORNING))


@pytest.mark.parametrize(
    "bad",
    [
        Cron("61", "9", "*", "*", "*"),
        Cron("0", "nine", "*", "*", "*"),
        Cron("0", "9", "*", "*", "fri-mon"),
        Monthly("6th mon", MORNING),
    ],
)
def test_an_expression_that_cannot_be_read_is_told(bad: Cron | Monthly) -> None:
    with pytest.raises(ValueError, match=r"rror validating|nrecognized|must not be higher"):
        check(bad)


@pytest.mark.parametrize(
    "name", ["America/New_York", "US/Eastern", "Japan", "UTC", "Etc/UTC", "Asia/Kathmandu"]
)
def test_places_are_zones(name: str) -> None:
    assert is_zone(name)
    assert zone(name) is zone(name)
    assert zone(name).key == name


@pytest.mark.parametrize(
    "name",
    [
        "EST",
        "EST5EDT",
        "MST",
        "GMT",
        "Etc/GMT+5",
        "+05:30",
        "UTC+1",
        "W-SU",
        "Factory",
        "../UTC",
        "america/new_york",
        "participant",
    ],
)
def test_abbreviations_offsets_and_strangers_are_refused(name: str) -> None:
    assert not is_zone(name)
    with pytest.raises(ValueError, match="not an IANA time zone"):
        zone(name)

"""The ledger's spelling of parameters, in psycopg's."""

from __future__ import annotations

import pytest

from scheduler.ledger.placeholders import given, spelled


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT ?, ?", "SELECT %s, %s"),
        ("SET a = ?2, b = ?1, c = ?2", "SET a = %(p2)s, b = %(p1)s, c = %(p2)s"),
        ("due <= :now AND at > :now_s", "due <= %(now)s AND at > %(now_s)s"),
        ("tries % 2 = 0 AND a LIKE 'x%?:y'", "tries %% 2 = 0 AND a LIKE 'x%%?:y'"),
        ("'it''s :a ?' || \"b?\" -- ?, :c, 100%\n, ?", "'it''s :a ?' || \"b?\" -- ?, :c, 100%%\n, %s"),
        ("?::text::xid8, '$.pages'", "%s::text::xid8, '$.pages'"),
    ],
)
def test_parameters_are_spelled_anew_and_nothing_else_is(ours: str, theirs: str) -> None:
    assert spelled(ours) == theirs


def test_numbered_parameters_get_names() -> None:
    assert given("?2 ?1 ?2", ("a", "b")) == {"p1": "a", "p2": "b"}
    assert given("? ?", ("a", "b")) == ("a", "b")
    assert given(":a", {"a": 1}) == {"a": 1}

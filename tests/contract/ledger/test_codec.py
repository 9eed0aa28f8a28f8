"""Facts as they are kept: every kind comes back as it went, but for the join link."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from jobs.model import Address
from scheduler.facts import KINDS, NAMES, Fact
from scheduler.ledger import codec

facts = st.one_of([st.from_type(kind) for kind in KINDS.values()])
addresses = st.lists(st.builds(Address, st.text(), st.text()), max_size=3).map(tuple)


@given(facts, addresses)
def test_every_fact_comes_back(fact: Fact, to: tuple[Address, ...]) -> None:
    kind = NAMES[type(fact)]
    back, where = codec.decode(kind, codec.encode(fact, to))
    if getattr(fact, "url", ""):
        fact = dataclasses.replace(fact, url=codec.KEPT_ELSEWHERE)  # type: ignore[call-arg]
    assert repr(back) == repr(fact)  # by repr: a time that is no number is never equal to itself
    assert where == to


@given(st.text(min_size=12))
def test_no_link_is_kept_whatever_it_looks_like(link: str) -> None:
    for kind in ("created", "found"):
        values = {f.name: "x" for f in dataclasses.fields(KINDS[kind])}
        kept = codec.encode(KINDS[kind](**{**values, "url": link}))
        assert codec.decode(kind, kept)[0].url == codec.KEPT_ELSEWHERE  # type: ignore[union-attr]


def test_a_text_that_is_no_unicode_can_be_kept() -> None:
    kind = KINDS["faulted"]
    assert codec.encode(kind("\ud800 from a hostile answer")).encode()

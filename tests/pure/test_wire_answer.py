"""S14, row by row; Retry-After; and what may stand in a failure's one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import Reason
from jobs.tavus.wire import Answer
from jobs.tavus.wire.answer import LONGEST_WAIT_S, failure, retry_after_s

DATE = "Sun, 22 Nov 2026 09:00:00 GMT"
FULL = "User has reached maximum concurrent conversations"


def said(status: int, **body: object) -> Answer:
    return Answer(status, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said(429), Reason.BUSY),
        (said(408), Reason.BUSY),
        (said(400, message=FULL), Reason.FULL),
        (said(400, error=FULL.upper()), Reason.FULL),
        (said(401, message="Invalid access token"), Reason.DENIED),
        (said(403), Reason.DENIED),
        (said(402, message="The user is out of conversational credits"), Reason.SPENT),
        (said(302), Reason.REFUSED),
        (said(307), Reason.REFUSED),
        (said(304), Reason.REFUSED),
        (said(400, message="Unknown field"), Reason.REFUSED),
        (said(404), Reason.REFUSED),
        (said(422), Reason.REFUSED),
        (said(499), Reason.REFUSED),
        (said(500, message=FULL), Reason.LOST),
        (said(502), Reason.LOST),
        (said(503), Reason.LOST),
        (said(599), Reason.LOST),
        (said(600), Reason.LOST),
        (said(101), Reason.LOST),
        (Answer(400, b"<html>"), Reason.REFUSED),
        (Answer(400, None), Reason.LOST),
        (Answer(401, None), Reason.DENIED),
        (Answer(402, None), Reason.SPENT),
        (Answer(429, None), Reason.BUSY),
    ],
)
def test_the_table_of_s14(answer: Answer, reason: Reason) -> None:
    assert failure(answer).reason is reason


def test_only_a_400_is_full_by_its_text() -> None:
    assert {failure(said(status, message=FULL)).reason for status in (401, 402, 404, 429, 500)} == {
        Reason.DENIED,
        Reason.SPENT,
        Reason.REFUSED,
        Reason.BUSY,
        Reason.LOST,
    }


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("-7", None),
        ("1.5", None),
        ("nan", None),
        ("inf", None),
        ("1e3", None),
        ("²", None),
        ("9" * 8000, LONGEST_WAIT_S),
        ("Sun, 22 Nov 2026 09:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
        ("Sun, 22 Nov 2026 08:59:00 GMT", None),
        ("Sun, 22 Nov 2099 09:00:00 GMT", LONGEST_WAIT_S),
        ("Sun, 22 Nov 2026 09:00:30 -0000", 30.0),
        ("soon", None),
    ],
)
def test_retry_after_counts_from_the_answers_own_date(wish: str | None, seconds: float | None) -> None:
    assert retry_after_s(Answer(429, b"", DATE, wish)) == seconds


def test_a_date_without_a_date_to_count_from_is_no_wish() -> None:
    assert retry_after_s(Answer(429, b"", None, DATE)) is None


def test_an_unknown_outcome_still_carries_its_retry_after() -> None:
    assert failure(Answer(503, None, DATE, "12")).retry_after_s == 12.0


@given(st.text(), st.text())
def test_no_header_breaks_the_reading(date: str, wish: str) -> None:
    seconds = retry_after_s(Answer(429, b"", date, wish))
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT_S


def test_the_line_says_the_servers_words_without_links_and_controls() -> None:
    detail = failure(said(400, message="no\r\n\x1b[31mgood: https://x.daily.co/a?t=SECRET (sorry)")).detail
    assert detail == "400 no [31mgood: (link) (sorry)"


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (said(400, message=["x"], error="Invalid"), "400 Invalid"),
        (Answer(404, b"<html>"), "404 Not Found"),
        (Answer(418, None), "418 I'm a Teapot"),
        (Answer(599, None), "599 without a message"),
        (said(307, message="x"), "307: base_url has moved"),
    ],
)
def test_the_line_without_a_message(answer: Answer, detail: str) -> None:
    assert failure(answer).detail == detail


def test_the_line_is_short_and_an_answers_repr_has_no_body() -> None:
    assert len(failure(said(400, message="x" * 10_000)).detail) < 300
    assert "SECRET" not in repr(said(200, url="SECRET"))

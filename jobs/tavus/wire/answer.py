"""An HTTP answer as a value, and what it means when it is not the one that was hoped for (S14).

The status decides alone wherever it can. Two need their body: a 2xx, and a 400, which says "full"
only by its text (tavus-api, section 1). Here nothing is known of endpoints: a 400 that is no
failure for one of them is told apart in `facts`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from jobs.errors import Reason, StepFailed
from jobs.tavus.wire import fields

LONGEST_WAIT_S = 3600.0
"""A `Retry-After` beyond this is taken for this: nobody may silence the house for a day."""

_BY_STATUS = {
    401: Reason.DENIED,
    402: Reason.SPENT,
    403: Reason.DENIED,
    408: Reason.BUSY,
    429: Reason.BUSY,
}
_FULL = "maximum concurrent"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and two headers. `body` is `None` when it broke off, could not be unpacked or
    was larger than anybody should send. It may hold a join link, so `repr` keeps it out."""

    status: int
    body: bytes | None = field(repr=False)
    date: str | None = None
    retry_after: str | None = None


def is_success(answer: Answer) -> bool:
    """Whether the status is a 2xx."""
    return 200 <= answer.status < 300


def content(answer: Answer) -> Mapping[str, object] | None:
    """The body as a JSON object; `None` when it is anything else."""
    try:
        value = json.loads(answer.body or b"")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def message(answer: Answer) -> str:
    """What an error body says under `message` or `error`, as one line; else empty."""
    body = content(answer) or {}
    return fields.line(body.get("message")) or fields.line(body.get("error"))


def failure(answer: Answer) -> StepFailed:
    """The failure that an answer without success stands for, as S14's table has it."""
    return StepFailed(_reason(answer), _detail(answer), retry_after_s(answer))


def unreadable(answer: Answer, what: str) -> StepFailed:
    """A success whose body doesn't say what it must: what came of the request is unknown (S14)."""
    return StepFailed(Reason.LOST, f"{answer.status} {what}", retry_after_s(answer))


def retry_after_s(answer: Answer) -> float | None:
    """`Retry-After` in seconds (RFC 9110, section 10.2.3), clipped to an hour.

    A date counts from the answer's own `Date`, so that no clock of ours matters; without one, or
    when it lies in the past, there is none.
    """
    wish = (answer.retry_after or "").strip()
    if wish.isascii() and wish.isdigit():
        return min(float(wish), LONGEST_WAIT_S)
    until, now = fields.http_date(wish), fields.http_date(answer.date)
    if until is None or now is None or until < now:
        return None
    return min(until - now, LONGEST_WAIT_S)


def _reason(answer: Answer) -> Reason:
    status = answer.status
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status == 400 and answer.body is None:
        return Reason.LOST
    if status == 400 and _FULL in message(answer).casefold():
        return Reason.FULL
    return Reason.REFUSED if 300 <= status < 500 else Reason.LOST


def _detail(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return f"{answer.status}: base_url has moved"
    return f"{answer.status} {message(answer) or _phrase(answer.status)}"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "without a message"

"""Why a step failed, in the few words that the scheduler acts on.

Ground floor of `jobs`. A failed step says *what is known of the outside world now* (was a
conversation made or not?) and nothing of what to do next: whether and when it is tried again is
decided by `scheduler.policy` and `scheduler.lifecycle`.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The closed set of failures (S14); every one but LOST is a definite "nothing was made"."""

    BUSY = "busy"
    """Not sent at all, or turned away for now (DNS, refused, TLS, connect time-out, 408, 429)."""
    FULL = "full"
    """The account has as many conversations as its plan allows (400, told by its text)."""
    LOST = "lost"
    """Unknown: a byte was written and no readable answer came back, or any 5xx."""
    SPENT = "spent"
    """The account is out of credits (402)."""
    DENIED = "denied"
    """The key was not accepted (401, 403)."""
    REFUSED = "refused"
    """The request itself was not accepted (other 4xx, 3xx)."""


class Blame(StrEnum):
    """Who can put a refused delivery right, as far as the other side told (S29)."""

    ADDRESS = "address"
    """This one address is bad (5.1.x): its owner is told; other letters are not concerned."""
    SETUP = "setup"
    """Our own set-up is (5.7.x, a wrong password, a certificate): every letter fares so; it is an alert."""


class StepFailed(Exception):
    """A step that did not do what it was for.

    `detail` is one line for people: it never holds a key, a join link or a whole body.
    `retry_after_s` is the server's own wish in seconds (RFC 9110, section 10.2.3), when it had one;
    `blame` tells of a delivery who can put it right, `None` when nobody need or nobody knows.
    """

    def __init__(
        self, reason: Reason, detail: str, retry_after_s: float | None = None, blame: Blame | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.blame = blame


class LetterError(Exception):
    """A letter that can't be written as it would have to be; nothing of it was sent.

    The message is one line for people: it holds no join link, and nothing of what was hostile.
    """

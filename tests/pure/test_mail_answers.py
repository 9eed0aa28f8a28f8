"""What servers write is hostile: one short line of it is shown, and nothing that was to be hidden."""

from __future__ import annotations

import pytest
from aiosmtplib import (
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from hypothesis import given
from hypothesis import strategies as st

from jobs.channels.mail.answers import Stage, cleaned, failure, goes_on, says_goodbye
from jobs.errors import Reason

LINK = "https://tavus.daily.co/c9f1e2d3a4b5?t=eyJhbGciOiJIUzI1NiJ9.payload_part.signature-part"
PASSWORD = "correct horse/battery+staple"
HIDDEN = (LINK, PASSWORD)
PARTS = [
    LINK,
    PASSWORD,
    "c9f1e2d3a4b5",
    "payload_part",
    "HORSE",
    "battery",
    "ana@example.com",
    "signature-part",
]
SECRETS = [part.casefold() for part in PARTS]

texts = st.lists(st.one_of(st.text(), st.sampled_from(PARTS)), max_size=12).map("".join)
codes = st.integers(-1, 999)


@given(texts)
def test_a_text_is_one_short_line_without_secrets(text: str) -> None:
    shown = cleaned(text, HIDDEN)
    assert len(shown) <= 160
    assert shown.isprintable()
    assert [each for each in SECRETS if each in shown.casefold()] == []


@given(st.sampled_from(Stage), codes, texts)
def test_every_answer_means_one_thing(stage: Stage, code: int, text: str) -> None:
    error = failure(stage, SMTPResponseException(code, text), HIDDEN)
    assert len(error.detail) < 240
    assert [each for each in SECRETS if each in error.detail.casefold()] == []
    refused = 500 <= code < 600 and not stage.is_set_up
    unknown = stage is Stage.DATA and not 400 <= code < 600
    assert error.reason is (Reason.REFUSED if refused else Reason.LOST if unknown else Reason.BUSY)
    assert (error.blame is not None) == (500 <= code < 600)


@pytest.mark.parametrize("stage", [Stage.AUTH, Stage.DATA])
def test_what_may_echo_is_shown_by_its_codes_alone(stage: Stage) -> None:
    error = failure(stage, SMTPDataError(554, "5.7.8 we read: AGFuYQBjb3JyZWN0IGhvcnNl\nand more"))
    assert error.detail.endswith("away: 554 5.7.8")


@given(
    st.sampled_from(Stage), st.sampled_from([SMTPServerDisconnected, SMTPException, TimeoutError, OSError])
)
def test_no_answer_may_mean_that_it_arrived_from_data_on(stage: Stage, kind: type[Exception]) -> None:
    error = failure(stage, kind(f"at {LINK}"))
    assert error.reason is (Reason.LOST if stage is Stage.DATA else Reason.BUSY)
    assert "tavus" not in error.detail


@pytest.mark.parametrize(
    ("code", "enhanced", "blame"),
    [
        (550, "5.1.1", "address"),
        (550, "5.1.10", "address"),
        (550, "5.2.1", "address"),
        (550, "", "address"),
        (550, "5.4.1", "address"),
        (550, "5.1.8", "setup"),
        (552, "5.3.4", "setup"),
        (503, "5.5.1", "setup"),
        (550, "5.7.1", "setup"),
        (550, "5.7.26", "setup"),
        (550, "5.1.1.1.1", "address"),
        (550, "5.7", "address"),
    ],
)
def test_whose_a_refused_recipient_is(code: int, enhanced: str, blame: str) -> None:
    error = SMTPRecipientRefused(code, f"{enhanced} sorry", "ana@example.com")
    assert failure(Stage.RECIPIENT, error).blame == blame


@pytest.mark.parametrize(
    ("code", "stage", "on", "goodbye"),
    [
        (450, Stage.RECIPIENT, True, False),
        (552, Stage.DATA, True, False),
        (421, Stage.RECIPIENT, False, True),
        (-1, Stage.RECIPIENT, False, False),
        (250, Stage.DATA, False, False),
        (535, Stage.AUTH, False, False),
    ],
)
def test_when_a_connection_is_good_for_another(code: int, stage: Stage, on: bool, goodbye: bool) -> None:
    error = SMTPResponseException(code, "")
    assert (goes_on(stage, error), says_goodbye(error)) == (on, goodbye)

"""Standard Webhooks' signature: the specification's own example, and no text that breaks a header."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from itertools import starmap
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.channels.signing import is_event_id, signed, signing_key
from jobs.letter import compose
from jobs.model import Address, Invitation, Participant, Wording

EVENT = "msg_p5jXN8AQM9LWM0D4loKWxJek"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HEADERS = {"webhook-id", "webhook-timestamp", "webhook-signature"}


def test_the_example_that_receivers_libraries_are_tested_with() -> None:
    headers = signed(EVENT, 1614265330.9, b'{"test": 2432232314}', signing_key(SECRET))
    assert headers == {
        "webhook-id": EVENT,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_is_its_bytes_in_base64(key: bytes) -> None:
    assert signing_key("whsec_" + base64.b64encode(key).decode()) == key


@given(
    st.one_of(
        st.text(),
        st.binary(max_size=23).map(lambda key: "whsec_" + base64.b64encode(key).decode()),
        st.binary(min_size=65, max_size=200).map(lambda key: "whsec_" + base64.b64encode(key).decode()),
        st.binary(min_size=24, max_size=64).map(lambda key: base64.b64encode(key).decode()),
        st.text().map(lambda text: "whsec_" + text).filter(lambda text: len(text) < 30),
    )
)
def test_any_other_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError) as caught:
        signing_key(secret)
    assert str(caught.value) == "its secret is not whsec_ with 24 to 64 bytes in base64 after it"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def composed(person: Participant, url: str) -> bytes:
    """What a webhook is told of this person, as the letters' room composes it."""
    invitation = Invitation(
        id="cb-ABCDEFGHIJKLMNOP-1",
        key=f"team/09:00/2026-12-01/{person.id}",
        schedule="team",
        slot="09:00",
        date="2026-12-01",
        participant=person,
        timezone="UTC",
        due=9.0,
        url=url,
        created_at=9.0,
        not_after=99.0,
        max_call_s=1800,
    )
    address = Address("webhook", "https://example.com/hook")
    return compose(invitation, address, Wording(), lambda *_: "", ZoneInfo, None) or b""


@given(st.text(), st.text(), st.binary(min_size=24, max_size=64), st.integers(0, 2**33))
def test_no_name_breaks_a_header_the_json_or_the_signature(name: str, url: str, key: bytes, at: int) -> None:
    """Whatever a roster holds stands in the body alone, and comes out of it as it went in."""
    body = composed(Participant(name, name), url)
    told = json.loads(body)
    assert is_event_id(told["id"])
    headers = signed(told["id"], at, body, key)
    assert set(headers) == HEADERS
    assert all(re.fullmatch(r"[A-Za-z0-9_+/=,-]+", value) for value in headers.values())
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert (told["data"]["participant"]["name"], told["data"]["link"]) == (name, url)


@given(st.one_of(st.text(), st.integers(), st.none()))
def test_an_id_can_split_no_header_and_no_signed_content(value: object) -> None:
    assert is_event_id(value) == bool(
        isinstance(value, str) and re.fullmatch(r"[\w-]{1,128}", value, re.ASCII)
    )


def test_two_events_never_share_a_signature() -> None:
    pairs = [(EVENT, b'{"a":1}'), (EVENT, b'{"a":2}'), (EVENT + "1", b'{"a":1}')]
    signatures = starmap(lambda event, body: signed(event, 9.0, body, bytes(24))["webhook-signature"], pairs)
    assert len(set(signatures)) == len(pairs)

"""What a roster or a template can't do to a letter: write a header, add a recipient, make markup, get a link.

Five thousand hostile strings for every place from which text can come near a header (S31), from seeds, so
that each Python sees the same. Each message is parsed with the standard library and has to have exactly
the headers that we write, one recipient, and two bodies.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes
from email.utils import getaddresses
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from jobs.letter import LetterError, compose, headers, on_the_wire
from jobs.model import Address, Participant, Wording
from scheduler.config import addresses
from scheduler.config.scalars import Misread
from scheduler.model import Days, Schedule, When
from scheduler.templates import TemplateError
from scheduler.zones import zone
from tests.pure.letters import INVITATION, LINK, MAIL, SENDER, TEMPLATES, bodies, named, parsed, written

STRINGS = 5000
WRITTEN = [
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted"),
    *("X-Auto-Response-Suppress", "MIME-Version", "Content-Type"),
]
PIECES = [
    *(
        "\r\n",
        "\n",
        "\r",
        "\x00",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x85",
        "\u2028",
        "\u2029",
        "\ud800",
        "\t",
        " ",
        "\x7f",
    ),
    *("\r\nBcc: evil@example.org\r\n", "\nTo: evil@example.org", "\r\n\r\n<p>evil</p>", "\r\n.\r\n", "\r\n "),
    *("=?utf-8?q?=0D=0ABcc:_evil@example.org?=", "=?utf-8?b?DQpCY2M6IGV2aWxAZXhhbXBsZS5vcmc=?=", "=?", "?="),
    *(
        "=0D=0A",
        "=\r\n",
        "%0d%0a",
        "\\r\\n",
        "Bcc:",
        "evil@example.org",
        ",",
        ";",
        ":",
        "<",
        ">",
        "@",
        "@[",
        "(",
    ),
    *(")", '"', "\\", '\\"', "'", ".", "..", "--=_", "=_", "\u202e", "\u2066", "\u200f", "\ufeff", "\u200b"),
    *(
        "Ana",
        "Jörg",
        "名前",
        "محمد",
        "👩‍👩‍👧",
        "é" * 30,
        "a" * 80,
        " " * 90,
        "x" * 1100,
        "</b>",
        "&amp;",
        "{{ 1 }}",
        "{%",
    ),
]


def hostile(seed: str) -> Iterator[str]:
    dice = random.Random(seed)
    for _ in range(STRINGS):
        yield "".join(dice.choices(PIECES, k=dice.randint(1, 6)))


def assert_as_written(message: bytes, to: str = MAIL.target) -> None:
    """Our headers and no other, one recipient, a text and a HTML body, and lines that servers take."""
    assert message.replace(b"\r\n", b"").translate(None, b"\r\n\0") == message.replace(b"\r\n", b"")
    assert max(map(len, message.split(b"\r\n"))) <= 998
    mail = message_from_bytes(message)
    assert list(mail.keys()) == WRITTEN
    head = message.partition(b"\r\n\r\n")[0].decode()
    addressed = head.partition("\r\nTo: ")[2].partition("\r\nSubject: ")[0]
    assert [address for _, address in getaddresses([addressed.replace("\r\n", "")])] == [to]
    text, html = mail.get_payload()
    assert [text.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    assert len(text.keys()) == len(html.keys()) == 2
    assert text.get_payload(decode=True).count(LINK.encode()) == 1


def assert_as_parsed_today(message: bytes) -> None:
    """The modern parser, which is slow, agrees: no header is broken, and one person is written to."""
    mail = parsed(message)
    assert list(mail.keys()) == WRITTEN
    assert [address.addr_spec for address in mail["To"].addresses] == [MAIL.target]
    assert [address.addr_spec for address in mail["From"].addresses] == ["practice@example.com"]
    assert not set(str(mail["Subject"])) & set("\r\n")


def held(seed: str, message_of: Callable[[str], bytes]) -> None:
    for n, text in enumerate(hostile(seed)):
        message = message_of(text)
        assert_as_written(message)
        if n % 50 == 0:
            assert_as_parsed_today(message)


def test_names() -> None:
    held("names", lambda text: written(participant=named(text)))


def test_subjects_of_hostile_names() -> None:
    wording = Wording(subject="{{ participant.name }}, {{ slot.name }}: {{ schedule.name }}")
    held("subjects", lambda text: written(wording=wording, participant=named(text)))


def test_subjects_as_schedules_write_them() -> None:
    def message(text: str) -> bytes:
        try:
            return written(wording=Wording(subject=text))
        except TemplateError:
            return written()

    held("written subjects", message)


def test_schedules_slots_and_practices() -> None:
    wording = Wording(subject="{{ schedule.name }} {{ practice.name }} {{ slot.name }} {{ slot.date }}")
    held(
        "schedules",
        lambda text: written(wording=wording, schedule=text, slot=text, date=text, practice=text, key=text),
    )


def test_addresses() -> None:
    sent = 0
    for text in (*hostile("addresses"), *(f"ana{text}@example.com" for text in hostile("local parts"))):
        try:
            message = written(Address("mail", text))
        except LetterError:
            continue
        sent += 1
        assert_as_written(message, on_the_wire(text))
        assert on_the_wire(text).rpartition("@")[0] == text.rpartition("@")[0]
    assert sent > 100, "a test in which all are refused sees nothing"


def test_senders_and_ids() -> None:
    for text in hostile("senders"):
        for changes in ({"sender": f"{text} <practice@example.com>"}, {"sender": text}, {"id": text}):
            try:
                message = written(**changes)
            except LetterError:
                continue
            assert_as_written(message)
            (_, sender), *more = getaddresses([message.decode().partition("\r\nTo: ")[0].replace("\r\n", "")])
            assert (sender.count("@"), more) == (1, [])


WHERE = st.text(
    st.sampled_from("abz09.-_'+=?!{}|@ \"\\<>(),;:é名\u0301\u200f\u202e\x7f。") | st.characters(), max_size=12
)


@given(local=WHERE, domain=WHERE | st.just("example.com"), name=WHERE)
def test_whatever_check_lets_through_can_be_written_to(local: str, domain: str, name: str) -> None:
    told = f"{local}@{domain}"
    for written_as in (told, f"{name} <{told}>", f'"{name}" <{told}>'):
        with suppress(Misread):
            headers.sender(addresses.sender(written_as))
    with suppress(Misread):
        assert on_the_wire(addresses.email(told)).startswith(f"{local}@")


# --- markup ----------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """The tags of a page with their attributes, and where its links lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value for name, value in attrs if name in ("href", "src")]


MARKUP = [
    '"',
    "'",
    "<",
    ">",
    "&",
    "</p>",
    "<script>alert(1)</script>",
    "<a href=//evil.example>",
    "-->",
    "<!--",
]
OURS = Tags(bodies(written())[1])


@given(
    text=st.lists(
        st.sampled_from([*MARKUP, "Ana", " ", "\n", "{{ 7 }}", "&lt;", "javascript:"]), max_size=8
    ).map("".join)
)
def test_what_people_are_called_is_no_markup(text: str) -> None:
    page = Tags(bodies(written(participant=named(text), practice=text or None, schedule=text, slot=text))[1])
    assert (page.tags, page.links) == (OURS.tags, OURS.links) == (OURS.tags, [LINK])


@given(text=st.lists(st.sampled_from([*MARKUP, "Ana", "\n\n", "\n", LINK]), max_size=8).map("".join))
def test_an_own_text_is_no_markup_either(text: str) -> None:
    wording = Wording(text="{{ participant.name }}\n{{ link.url }}")
    page = Tags(bodies(written(wording=wording, participant=named(text)))[1])
    assert {tag for tag, _ in page.tags[-text.count("\n") - 20 :]} <= {tag for tag, _ in OURS.tags}
    assert set(page.links) == {LINK}


@given(text=st.lists(st.sampled_from(MARKUP), max_size=8).map("".join))
def test_own_html_takes_names_as_text(text: str) -> None:
    for source in (
        "{{ participant.name }}",
        "{% if participant.name %}{{ participant.name | trim }}{% endif %}",
    ):
        wording = Wording(html=f'<p title="{source}">{source}<a href="{{{{ link.url }}}}">go</a></p>')
        page = Tags(bodies(written(wording=wording, participant=named(text)))[1])
        assert (page.tags, page.links) == ([("p", ("title",)), ("a", ("href",))], [LINK])


# --- whose link --------------------------------------------------------------------------------------

NAMES = st.text(max_size=12) | st.sampled_from(
    ["{{ link.url }}", "ana@example.com", "Ana, Ben", "https://t.example/0"]
)
WORDINGS = st.sampled_from(
    [
        Wording(),
        Wording(subject="{{ participant.name }}"),
        Wording(text="{{ link.url }}"),
        Wording(html="{{ link.url }}"),
    ]
)


@given(
    names=st.lists(NAMES, min_size=1, max_size=12),
    wording=WORDINGS,
    channels=st.sets(st.sampled_from(["mail", "log"])),
)
def test_a_person_gets_only_their_own_link(names: list[str], wording: Wording, channels: set[str]) -> None:
    people = tuple(
        Participant(f"p{n}", name, f"p{n}@example.com" if n % 4 else None) for n, name in enumerate(names)
    )
    schedule = Schedule(
        name="coach",
        when=(When(Days(frozenset({0}), ()), "UTC"),),
        participants=people,
        request=None,  # type: ignore[arg-type]
        deliver=tuple(map(Address, sorted(channels))),
        wording=wording,
    )
    token = {person.id: f"secret-{n:03}-room" for n, person in enumerate(people)}
    for person in people:
        theirs = replace(INVITATION, participant=person, url=f"https://t.example/{token[person.id]}")
        for address in schedule.addresses(person):
            message = compose(theirs, address, wording, TEMPLATES.letter, zone, SENDER)
            if message is None:
                assert address.channel == "log"
                continue
            assert address.target == person.email
            assert [each.addr_spec for each in parsed(message)["To"].addresses] == [person.email]
            said = "".join(bodies(message))
            assert {other for other, secret in token.items() if secret in said} == {person.id}
            assert "secret" not in message.partition(b"\r\n\r\n")[0].decode()

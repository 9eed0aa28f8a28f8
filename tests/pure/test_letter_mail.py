"""The mail with the join link: what it says, to whom, in which words, and that its bytes never change."""

from __future__ import annotations

import re
from email.header import decode_header, make_header

import pytest

from jobs.letter import LetterError, compose, on_the_wire
from jobs.model import Address, Participant, Wording
from scheduler.zones import zone
from tests.pure.letters import INVITATION, LINK, MAIL, NINE, TEMPLATES, bodies, named, parsed, written

HEADERS = [
    ("From", '"Practice" <practice@example.com>'),
    ("To", '"Ana Ruiz" <ana@example.com>'),
    ("Subject", "Your practice: Monday 23 November, 09:00"),
    ("Date", "Mon, 23 Nov 2026 13:59:30 +0000"),
    ("Message-ID", "<cb-ABCDEFGHIJKLMNOP-1-0407921095@example.com>"),
    ("In-Reply-To", "<e51cb3f801124079297d@example.com>"),
    ("References", "<e51cb3f801124079297d@example.com>"),
    ("Auto-Submitted", "auto-generated"),
    ("X-Auto-Response-Suppress", "OOF, AutoReply"),
    ("MIME-Version", "1.0"),
]
TEXT = """\
Hello Ana Ruiz,

your practice room is open. Join now:
https://tavus.example/c123?t=a&b=1

Please come by 09:01: the room is kept for 90 seconds, and closes if nobody has come.

Monday 23 November, 09:00 in New York (UTC-5)
up to 30 minutes: Improve Sales Technique

When your browser asks for the microphone, choose "Allow".
This link is yours alone: please don't pass it on.
"""


def header(message: bytes, name: str) -> str:
    return str(parsed(message)[name])


def test_the_headers() -> None:
    block = written().decode().partition("\r\n\r\n")[0]
    *lines, kind, boundary = block.split("\r\n")
    assert [tuple(line.split(": ", 1)) for line in lines] == HEADERS
    assert kind == "Content-Type: multipart/alternative;"
    assert boundary.startswith(' boundary="=_')


def test_the_text_is_ours() -> None:
    assert bodies(written())[0] == TEXT


def test_text_and_html_say_the_same() -> None:
    _, html = bodies(written())
    assert re.findall(r'href="([^"]*)"', html) == [LINK.replace("&", "&amp;")]
    visible = " ".join(re.sub(r"<[^>]*>", " ", html.partition("</head>")[2]).split())
    for words in ("Hello Ana Ruiz", "09:01", "90 seconds", "Monday 23 November, 09:00", "New York (UTC-5)"):
        assert words in visible
        assert words in TEXT
    for words in ("up to 30 minutes: Improve Sales Technique", "microphone, choose “Allow”", "Join now"):
        assert words in visible.replace("&ldquo;", "“").replace("&rdquo;", "”")


def test_the_same_invitation_gives_the_same_bytes() -> None:
    assert written() == written()
    retried = written(id="cb-ABCDEFGHIJKLMNOP-2")
    assert header(retried, "Message-ID") != header(written(), "Message-ID")
    assert header(retried, "References") == header(written(), "References"), "a thread for each occurrence"
    other = written(key="coach/09:00/2026-11-24/ana")
    assert header(other, "References") != header(written(), "References")


def test_each_address_has_a_message_id_of_its_own() -> None:
    ids = {header(written(Address("mail", f"{name}@example.com")), "Message-ID") for name in "abcdef"}
    assert len(ids) == 6


@pytest.mark.parametrize(
    "name", ["Jörg Müller", "名前" * 40, "Ana, Ruiz; <x>", 'Ana "the \\ fox"', "n" * 300, "محمد"]
)
def test_a_name_arrives_as_it_is_written(name: str) -> None:
    message = written(participant=named(name))
    to = parsed(message)["To"]
    assert [address.addr_spec for address in to.addresses] == ["ana@example.com"]
    shown = str(make_header(decode_header(message.decode().partition("To: ")[2].partition("\r\nSubject")[0])))
    assert re.sub(r"\\(.)", r"\1", shown).replace(" <ana@example.com>", "").strip('"') == name.strip('"')
    assert all(len(line) <= 78 for line in message.split(b"\r\n"))


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("ana.o'neil+x@Example.COM", "ana.o'neil+x@example.com"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
        ("用户@例子.example", "用户@xn--fsqu00a.example"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_an_address_goes_out_as_servers_take_it(address: str, wire: str) -> None:
    assert on_the_wire(address) == wire
    assert f"<{wire}>\r\n".encode() in written(Address("mail", address))


@pytest.mark.parametrize(
    "address",
    [
        *("", "ana", "@example.com", "ana@", "a b@example.com", "a@b@example.com", ".a@example.com"),
        *("a..b@example.com", '"a"@example.com', "a@[127.0.0.1]", "a@-x.example", "a@x..example", "a@x_y"),
        *(
            "a@example.com\r\nBcc: b@example.com",
            "a=?b@example.com",
            "a\u2028b@example.com",
            "a\u202eb@x.example",
        ),
        *(
            "a@example.com, b@example.com",
            "<a@example.com>",
            "é" * 65 + "@example.com",
            "a@" + "x." * 130 + "x",
        ),
    ],
)
def test_what_is_no_address_gets_no_letter(address: str) -> None:
    with pytest.raises(LetterError, match=r"^an address ") as error:
        written(Address("mail", address))
    assert "example" not in str(error.value)


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("practice@example.com", "practice@example.com"),
        ('"Practice, Inc." <practice@example.com>', '"Practice, Inc." <practice@example.com>'),
        ("Übung <practice@example.com>", "=?utf-8?b?w5xidW5n?=\r\n <practice@example.com>"),
    ],
)
def test_whom_it_is_from(sender: str, expected: str) -> None:
    assert written(sender=sender).startswith(f"From: {expected}\r\n".encode())


@pytest.mark.parametrize(
    "sender", [None, "", "Practice", "A <a@b.example> <c@d.example>", "A\n<a@b.example>", "=?x <a@b>"]
)
def test_no_letter_from_nobody(sender: str | None) -> None:
    with pytest.raises(LetterError):
        written(sender=sender)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "tavus.example/x", ""])
def test_a_link_leads_to_the_web(url: str) -> None:
    with pytest.raises(LetterError):
        written(url=url)


def test_a_mail_is_for_a_person_and_the_log_takes_none() -> None:
    with pytest.raises(LetterError):
        written(participant=None)
    assert compose(INVITATION, Address("log"), Wording(), TEMPLATES.letter, zone, None) is None


# --- a schedule's own words --------------------------------------------------------------------------


def test_own_words_for_everything() -> None:
    wording = Wording(
        "Ready, {{ participant.name }}?", "Go: {{ link.url }}", "<b>{{ participant.name }}</b> {{ link.url }}"
    )
    message = written(wording=wording, participant=named("Ana & Ben"))
    assert header(message, "Subject") == "Ready, Ana & Ben?"
    assert bodies(message) == (f"Go: {LINK}\n", f"<b>Ana &amp; Ben</b> {LINK.replace('&', '&amp;')}\n")


def test_own_text_is_what_the_html_says_too() -> None:
    own = "Hi <{{ participant.name }}>,\n\ngo:\n{{ link.url }}\n"
    text, html = bodies(written(wording=Wording(text=own)))
    assert text == f"Hi <Ana Ruiz>,\n\ngo:\n{LINK}\n"
    assert "practice room" not in html
    assert re.findall(r"<p [^>]*>(.*?)</p>", html, re.S)[0] == "Hi &lt;Ana Ruiz&gt;,"
    assert re.findall(r'href="([^"]*)"', html) == [LINK.replace("&", "&amp;")]


def test_own_html_leaves_our_text() -> None:
    text, html = bodies(written(wording=Wording(html='<a href="{{ link.url }}">go</a>')))
    assert text == TEXT
    assert html == f'<a href="{LINK.replace("&", "&amp;")}">go</a>\n'


@pytest.mark.parametrize(
    "name", ["Ana\r\nBcc: x@example.com", "=?utf-8?q?x?=", "a\u2028b", "\ud800", "anA\u202e"]
)
def test_a_hostile_name_spoils_no_subject_and_no_letter(name: str) -> None:
    message = written(wording=Wording(subject="For {{ participant.name }}"), participant=named(name))
    assert header(message, "Subject") == "Your practice: Monday 23 November, 09:00"
    assert b"\r\nTo: ana@example.com\r\n" in message


def test_controls_and_half_characters_are_left_out_of_the_bodies() -> None:
    text, html = bodies(written(participant=named("A\x00n\x1ba\ud800"), practice="one\rtwo\x85"))
    assert "Hello Ana,\n" in text
    assert "minutes: one\ntwo\n" in text
    assert "<bdi>Ana</bdi>" in html


@pytest.mark.parametrize("practice", ["p" * 5000, "ünïcode " * 500, ". \n.\nFrom me\n--x", "=20=\n=3D"])
def test_a_body_comes_back_as_it_was(practice: str) -> None:
    message = written(practice=practice)
    assert f"minutes: {practice.rstrip()}" in bodies(message)[0]
    assert max(map(len, message.split(b"\r\n"))) <= 78
    assert message.replace(b"\r\n", b"").count(b"\n") == message.replace(b"\r\n", b"").count(b"\r") == 0


def test_a_letter_on_another_day_and_without_a_practice() -> None:
    message = written(
        practice=None, due=NINE + 15 * 3600, created_at=NINE + 14.99 * 3600, not_after=NINE + 15.1 * 3600
    )
    text = bodies(message)[0]
    assert "Please come by 00:06" in text
    assert "Tuesday 24 November, 00:00" in text
    assert "up to 30 minutes: coach" in text


def test_nobody_is_greeted_wrongly_when_the_address_is_another_persons() -> None:
    ben = written(
        Address("mail", "ben@example.com"), participant=Participant("ben", "Ben", "ben@example.com")
    )
    assert b"ana" not in ben.lower().replace(b"coach", b"").replace(b"manager", b"")
    assert MAIL.target.encode() not in ben

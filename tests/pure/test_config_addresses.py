"""E-mail addresses, senders, hosts and URLs: what is taken, and what could do harm and isn't."""

from __future__ import annotations

import pytest

from scheduler.config.addresses import base_url, email, hook_url, host, sender
from scheduler.config.scalars import Misread


@pytest.mark.parametrize(
    "text", ["ana@münchen.de", "jörg@example.com", "a.b-c_d+e@x.de", "a@xn--mnchen-3ya.de", "ana@localhost"]
)
def test_addresses(text: str) -> None:
    assert email(text) == text


@pytest.mark.parametrize(
    "text",
    [
        ".a@x.de", "a.@x.de", "a..b@x.de", "a@x..de", "a@.de", "a@x.de.", "a@-x.de", "a@x-.de", "a@x_y.de",
        "a@xn--a.de", f"a@{'x' * 64}.de", f"a@{'ü' * 60}.de", f"{'a' * 65}@x.de", "a@b\u202e.de",
        "a@b\u200b.de", "a@\ud800.de", "a\tb@x.de", "a@x.de\n", "a@[127.0.0.1]",
        '"a b"@x.de', "a@b@c.de", "a@x。。de",
    ],
)  # fmt: skip
def test_no_addresses(text: str) -> None:
    with pytest.raises(Misread):
        email(text)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("practice@example.com", "practice@example.com"),
        ("<practice@example.com>", "practice@example.com"),
        ("  Practice   <p@x.de>", "Practice <p@x.de>"),
        ("Acme, Inc. <p@x.de>", '"Acme, Inc." <p@x.de>'),
        ('"Acme" <p@x.de>', "Acme <p@x.de>"),
        ("Prüfung <p@x.de>", "Prüfung <p@x.de>"),
    ],
)
def test_senders(text: str, header: str) -> None:
    assert sender(text) == header
    assert sender(header) == header


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<>",
        "x",
        "P <p@x.de> Q",
        "P <p@x.de",
        "a@b.c <d@e.f>",
        '"A" B <p@x.de>',
        "A\\ <p@x.de>",
        "P <p@x.de>\n",
    ],
)
def test_no_senders(text: str) -> None:
    with pytest.raises(Misread):
        sender(text)


def test_hosts_and_urls() -> None:
    for good in ("smtp.example.com", "mail_relay", "10.0.0.1", "::1", "localhost"):
        assert host(good) == good
    for bad in ("", "256.1.1.1", "a b", "a..b", "[::1]", "x" * 64, "smtp.example.com.:25"):
        with pytest.raises(Misread):
            host(bad)
    for good in ("https://x.example/a?b=c%20d", "http://localhost:9/", "http://[::1]/x", "http://127.9.9.9"):
        assert hook_url(good) == good
    for bad in (
        "https://",
        "https://x y",
        "https://x/#a",
        "https://x\n",
        "https://[::1",
        "https://x/" + "a" * 2000,
    ):
        with pytest.raises(Misread) as raised:
            hook_url(bad)
        assert raised.value.message in (
            "expected a URL such as https://example.com/hook",
            "a webhook's URL has no user and no fragment",
        )


@pytest.mark.parametrize(
    "text", ["a@b\nBcc: c@d.e", "a@b.c, d@e.f", "=?utf-8?q?a?=@b.c", "a b@c.d", "@b.c", "a@", "a" * 300]
)
def test_no_second_address_and_no_header(text: str) -> None:
    with pytest.raises(Misread):
        email(text)
    assert email("ana.o'neil+x@mail.example.com")


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "http://10.0.0.1",
        "https://u:p@x.y",
        "https://x.y?a=b",
        "x.y",
        "https://[::1",
        "https://x y",
    ],
)
def test_no_base_urls(text: str) -> None:
    with pytest.raises(Misread):
        base_url(text)
    assert base_url("http://[::1]:80/") == "http://[::1]:80"

"""The mail with the join link: its headers, its text and its HTML, as one message.

Says in which words a letter is written when a schedule has some of its own, and puts the parts together
(RFC 5322, RFC 2046). Every byte follows from the arguments, the boundary too, since messages are frozen.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from jobs.errors import LetterError
from jobs.letter import headers, texts
from jobs.letter.words import Zone, told
from jobs.model import Invitation, Wording

Render = Callable[[str, Mapping[str, str], bool], str]
"""(template, the values of LETTER_NAMES, whether it is HTML and they are to be escaped) -> what it says."""

_ID = re.compile(r"[A-Za-z0-9-]{1,120}")
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls and halves of surrogates: no text for people has them, and some can't be encoded."""


def mail(
    invitation: Invitation,
    target: str,
    id_: str,
    wording: Wording,
    render: Render,
    zone: Zone,
    sender: str | None,
) -> bytes:
    """The whole message for one recipient. Raises LetterError."""
    if invitation.participant is None or sender is None:
        raise LetterError("a mail needs a participant and a sender")
    if urlsplit(invitation.url).scheme not in ("https", "http"):
        raise LetterError("the join link is no web address")
    said = told(invitation, zone)
    text = _readable(render(wording.text or texts.TEXT, said, False))
    html = _readable(_html(wording, text, said, render))
    origin = headers.sender(sender)
    lines = {
        "From": origin.mailbox,
        "To": headers.mailbox(invitation.participant.name, target),
        "Subject": headers.written(_subject(wording, said, render)),
        "Date": format_datetime(datetime.fromtimestamp(invitation.created_at, UTC)),
        **_ids(invitation, id_, origin.domain),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    return "".join(_message(lines, id_, text, html)).encode()


def _subject(wording: Wording, said: Mapping[str, str], render: Render) -> str:
    """The schedule's own subject; ours when somebody's name makes that unfit for a header (S31)."""
    harmless = {name: value for name, value in said.items() if name != "link.url"}
    own = render(wording.subject, harmless, False).strip() if wording.subject else ""
    return own if own and headers.is_fit(own) else render(texts.SUBJECT, harmless, False)


def _html(wording: Wording, text: str, said: Mapping[str, str], render: Render) -> str:
    """The schedule's own HTML; of its own text, that text; else ours: the two never say different things."""
    if wording.html:
        return render(wording.html, said, True)
    return texts.page_of(text, said["link.url"]) if wording.text else render(texts.HTML, said, True)


def _readable(text: str) -> str:
    return _UNREADABLE.sub("", text)


def _ids(invitation: Invitation, id_: str, domain: str) -> dict[str, str]:
    """The message's own id (S27), and the thread of its occurrence: an id that no message has (S31)."""
    if not _ID.fullmatch(id_):
        raise LetterError("an invitation's id can't stand in a header")
    thread = hashlib.sha256(invitation.key.encode(errors="surrogatepass")).hexdigest()[:20]
    return {
        "Message-ID": f"<{id_}@{domain}>",
        "In-Reply-To": f"<{thread}@{domain}>",
        "References": f"<{thread}@{domain}>",
    }


def _message(lines: Mapping[str, str], id_: str, text: str, html: str) -> Iterator[str]:
    # `=_` can't stand in quoted-printable, so no body can hold the boundary (RFC 2045, section 6.7).
    boundary = f"=_{hashlib.sha256(id_.encode()).hexdigest()[:32]}"
    yield from (f"{name}: {value}\r\n" for name, value in lines.items())
    yield "MIME-Version: 1.0\r\n"
    yield f'Content-Type: multipart/alternative;{headers.FOLD}boundary="{boundary}"\r\n\r\n'
    for kind, body in (("plain", text), ("html", html)):
        yield f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        yield f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{_quoted(body)}\r\n"
    yield f"--{boundary}--\r\n"


def _quoted(body: str) -> str:
    lines = re.split(r"\r\n|\r|\n", body.rstrip())
    return binascii.b2a_qp("".join(f"{line}\r\n" for line in lines).encode()).decode()

"""What a letter says when a schedule has no words of its own, and a schedule's plain text as a page.

Templates over LETTER_NAMES, in the language that schedules write theirs in. Plain words, short, one button.
Many mail programs drop `<style>`: every style that a letter needs stands at its element, and the block in
the head only turns the page dark. Each `<bdi>` keeps a right-to-left name from turning its line around.
"""

from __future__ import annotations

import re
from html import escape

SUBJECT = "Your practice: {{ slot.day }}, {{ slot.time }}"

TEXT = """\
Hello {{ participant.name }},

your practice room is open. Join now:
{{ link.url }}

Please come by {{ link.until }}: the room is kept for {{ link.length }}, and closes if nobody has come.

{{ slot.day }}, {{ slot.time }} in {{ slot.zone }}
up to {{ practice.length }}: {{ practice.name }}

When your browser asks for the microphone, choose "Allow".
This link is yours alone: please don't pass it on.
"""

_FONT = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_BREAK = "overflow-wrap:anywhere;word-break:break-word"

_OPEN = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>Your practice</title>
<style>
:root {{ color-scheme: light dark; }}
@media (prefers-color-scheme: dark) {{
.page {{ background-color: #121417 !important; }}
.card {{ background-color: #1e2227 !important; color: #e8eaed !important; }}
.soft {{ color: #b0b7c0 !important; }}
.link {{ color: #8ab4f8 !important; }}
}}
</style>
</head>
<body class="page" style="margin:0;padding:0;background-color:#f2f4f7">
<table class="page" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"
 style="background-color:#f2f4f7">
<tr><td align="center" style="padding:20px 12px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"
 style="max-width:520px;table-layout:fixed">
<tr><td class="card" align="left"
 style="padding:28px 24px 12px;border-radius:12px;background-color:#ffffff;color:#1f2328;
{_FONT};font-size:16px;line-height:1.5;{_BREAK}">
"""

_CLOSE = """\
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
"""

_PARAGRAPH = "margin:0 0 16px"

HTML = f"""{_OPEN}\
<p style="{_PARAGRAPH}">Hello <bdi>{{{{ participant.name }}}}</bdi>,</p>
<p style="{_PARAGRAPH}">your practice room is open.</p>
<p style="margin:0 0 24px"><a href="{{{{ link.url }}}}"
 style="display:inline-block;padding:14px 28px;border-radius:8px;background-color:#1a56db;color:#ffffff;
font-weight:bold;text-decoration:none">Join now</a></p>
<p style="{_PARAGRAPH}">Please come by <b>{{{{ link.until }}}}</b>: the room is kept for
{{{{ link.length }}}}, and closes if nobody has come.</p>
<p style="{_PARAGRAPH}"><b>{{{{ slot.day }}}}, {{{{ slot.time }}}}</b> in {{{{ slot.zone }}}}<br>
up to {{{{ practice.length }}}}: <bdi>{{{{ practice.name }}}}</bdi></p>
<p style="{_PARAGRAPH}">When your browser asks for the microphone, choose &ldquo;Allow&rdquo;.</p>
<p class="soft" style="{_PARAGRAPH};color:#57606a;font-size:14px">This link is yours alone: please
don&rsquo;t pass it on.</p>
{_CLOSE}"""


def page_of(text: str, link: str) -> str:
    """A plain text as a page of its own: escaped, with its paragraphs, and the link to be clicked."""
    return f"{_OPEN}{''.join(_paragraphs(text.strip(), link))}{_CLOSE}"


def _paragraphs(text: str, link: str) -> list[str]:
    address = escape(link)
    anchor = f'<a class="link" href="{address}" style="color:#1a56db">{address}</a>'
    return [
        f'<p dir="auto" style="{_PARAGRAPH}">{_lines(paragraph).replace(address, anchor)}</p>\n'
        for paragraph in re.split(r"\n\s*\n", text)
    ]


def _lines(paragraph: str) -> str:
    return "<br>\n".join(escape(line) for line in paragraph.splitlines())

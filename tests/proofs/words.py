"""The words of bad files: signs, values, secrets where people put them, and shapes that are large on purpose.

Only material; which of it a seed takes is said in `yamls`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

SIGNS = (
    "\t", "\n", "\r\n", "\r", ": ", ":", " #", "#", "{{", "}}", "{%", "%}", "{", "}", "[", "]", "'", '"',
    "*a", "&a ", "!!python/object/apply:os.system ", "!x ", "!", "- ", "-", "? ", "| ", "|\n", ">-\n",
    "%YAML 1.1\n", "@", "`", "~", "null", "---\n", "...\n", "\x00", "\x07", "\x1b[31m", "\x7f", "\x85",
    "\u2028", "\u2029", "\u202e", "\u2066", "\u200b", "\ufeff", "\ufffe", "\ud800", "\N{GRINNING FACE}",
    "e\u0301", "<<: *a\n", "<<: ", ", ", ",", "\\", "\\x", "=", "  ", "version: 1\n", "schedules:\n", "0x1F",
    "1e400", "-1", "9" * 30, "9:60", "24:00", "٣", "é" * 9, "../" * 6, "/dev/zero",
)  # fmt: skip

VALUES = (
    "", "~", "null", "true", "no", "0", "-1", "1", "60", "1e9", "9" * 12, "9" * 4400, "007", "9:30",
    '"09:00"', "24:00", "30m", "1h30m", "1s", "-5s", "3000000h", "daily", "mon-fri", "[mon, wed]", "fri-mon",
    "funday", "2026-12-24", "2026-02-30", "0000-01-01", "9999-12-31", '"2026-12-01T09:00"',
    '"9999-12-31T23:59:59"', '"0001-01-01 00:00"', "UTC", "participant", "Europe/Berlin", "Etc/GMT+5",
    "GB-Eire", "America", "EST", "+02:00", "../etc/passwd", "America/New_Yrok", '"0 9 * * mon-fri"',
    '"* * * * *"', '"0 0 31 2 *"', '"*/1,*/1 * * * *"', "last", "first mon", "31", "persona", "pal", "log",
    "mail", "{webhook: https://x}", "[log, mail]", "{slack: http://127.0.0.1:1/s}",
    "{webhook: https://x, slack: y}", "{webhook: https://x, secret: {env: KEY}}", "Practice <p@example.com>",
    '"A, B" <a@b>', "a@xn--", "a@é.de", "{host: h, port: 465}", "{host: h, security: none}", "starttls",
    "tls", "none", "465", '"{{ link.url }}"', "60/min", "1/h", "0/s", "{env: KEY}", "{file: /run/x}",
    "{env: KEY, file: x}", "https://tavusapi.com", "http://127.0.0.1:1", "http://[::1", "https://a b",
    "west.csv", "{file: west.csv}", "{file: ../west.csv}", "{file: .}", '{file: "\\0"}', "/dev/null", "a@b",
    "a@@b", "{}", "[]", "[[]]", "[{}]", "{a: {}}", "{a: [b, {c: d}]}", "{? [a] : b}", "*x", "&x y", "!!int 3",
    "!!binary aGk=", "|\n   a\n   b", '"{{ participant.name }}"', '"{{ participant.nmae }}"',
    "'{% for i in [1] %}x{% endfor %}'", '"{{ 9**9**9 }}"', '"{{ "', "\"{{ ''.__class__ }}\"",
    '"' + "{{ slot.name }}" * 60 + '"', '"{{ ' + "(" * 90 + "1" + ")" * 90 + ' }}"', '"\\u202e\\u0000"',
    '"\u202ereversed"', '"=?utf-8?q?x?="', '"a\\r\\nBcc: x@y"', "x" * 70, "x" * 3000, "ana", "sales", "skip",
    "allow", "shift", "first_valid", "second", "signal", "watch", "at_slot", "on_join", "s3",
    '{morning: "09:00"}',
)  # fmt: skip

SECRET_KEYS = (
    "api_key", "api_kye", "apikey", "api-key", "API_KEY", "password", "pasword", "token", "secret",
    "smtp_password", "auth_token", "client_secret", "credential", "passphrase", "pwd", "x-api-key", "pass",
    "smtp_pass",
)  # fmt: skip

SECRET_SHAPES: tuple[Callable[[str, str], str], ...] = (
    lambda key, it: f"{key}: {it}",
    lambda key, it: f'{key}: "{it}"',
    lambda key, it: f'"{key}" :  {it}  # mine',
    lambda key, it: f"{key}: {{{it}: x}}",
    lambda key, it: f"{key}: {{env: {it}x}}",
    lambda key, it: f"{key}: [{it}, b]",
    lambda key, it: f"{key}: >-\n    {it}",
    lambda key, it: f"{key}: |\n    x\n    {it}",
    lambda key, it: f"{key}:\n    - {it}",
    lambda key, it: f"{key}:\n    value: {it}",
    lambda key, it: f"? {key}\n  : {it}",
    lambda key, it: f"{key}: {it}: y",
    lambda key, it: f"{key}: @{it}",
    lambda key, it: f"{key}: *{it}",
    lambda key, it: f"{key}: !{it} x",
    lambda key, it: f"{key}: &{it} x",
    lambda key, it: f"{key}: '{it}' x",
    lambda key, it: f'{key}: "{it}',
    lambda key, it: f"ids: {{a: 1, {key}: {it}, b: 2}}",
    lambda key, it: f'ids: {{"a":1,"{key}":"{it}","b":2}}',
    lambda key, it: f"smtp: {{host: h, {key}: {it}}}",
    lambda key, it: f"smtp:\n    host: h\n    {key}: {it}",
    lambda key, it: f"smtp:\n    - {key}: {it}\n    - {it}",
    lambda key, it: f"{key} : {it}",
    lambda key, it: f"{key}:{it}",
    lambda key, it: f"{key}={it}",
    lambda key, it: f"ids: {key}={it}",
    lambda key, it: f"ids: {key}:{it}",
    lambda key, it: f"{key}: a\n    {it}",
    lambda key, it: f"{key}: ${{{it}}}",
    lambda key, it: f"{key}: {{{{ {it} }}}}",
    lambda key, it: f"{key}: {{env: {{a: {it}}}}}",
    lambda key, it: f"{key}: {{env: [{it}]}}",
    lambda key, it: f"{key}: {it}\n  {key}: {it}b",
    lambda key, it: f"{key}: {it} {'x' * 3000}: y",
    lambda key, it: f"\t{key}: {it}",
    lambda key, it: f"base_url: https://me:{it}@tavusapi.com",
    lambda key, it: f"deliver: {{webhook: https://x.example/{it}}}",
    lambda key, it: f"deliver: [log, {{webhook: 'https://x.example?{it}', {key}: {it}}}]",
    lambda key, it: f"deliver: {{slak: x.example/{it}}}",
    lambda key, it: f"deliver: {{slack: http://x.example/{it}, mail: log}}",
    lambda key, it: f"deliver: https://x.example/{it}",
    lambda key, it: f"deliver:\n    - webhook:\n        x.example/{it}",
    lambda key, it: f"deliver:\n    - webhok: >-\n        https://x.example/{it}",
)


def _repeated(*shapes: tuple[str, str, str]) -> Callable[[random.Random], str]:
    """(before, what is repeated, after); `#` in the middle is counted up."""

    def large(rng: random.Random) -> str:
        before, piece, after = rng.choice(shapes)
        size = rng.choice((10_000, 100_000, 1 << 20, (1 << 20) + 9))
        count = max(1, size // len(piece.replace("#", "12345")))
        middle = "".join(piece.replace("#", str(n)) for n in range(count)) if "#" in piece else piece * count
        return f"version: 1\n{before}{middle}{after}"

    return large


_S = "schedules: {s: {timezone: UTC, conversation: {persona_id: p}, when: "
LARGE = (
    _repeated(("x: [", "a,", "]"), ("x: ", "[", ""), ("x: ", "{", ""), ("x:\n ", "- ", "x"), ("", "? ", "x")),
    _repeated(("", "k#: 1\n", ""), ("", "k: 1\n", ""), ("", "\n", ""), ("", "#: {}\n", ""), ("", "a", ": 1")),
    _repeated(
        ("x: ", "a", ""),
        ("x: ", "a ", ""),
        ("x: |\n", "  a\n", ""),
        ('x: "', "\\u0041", '"'),
        ('x: "', "a\n", ""),
    ),
    _repeated(
        ("a", " ", ""),
        ("a", " ", "\n@"),
        ("x: ", "a: ", ""),
        ("x: ", '"a" ', ""),
        ("x: ", "a=", ""),
        ("x", "- ", ":"),
    ),
    _repeated((_S + "{on: [", "a,", "]}}}"), (_S + "{on: [", "2026-12-01T09:00,", "]}}}")),
    _repeated(
        (_S + "{days: daily, at: [", "9:00,", "]}}}"), (_S + "{days: daily, at: {", "n#: 9:00,", "}}}}")
    ),
    _repeated(
        (_S + '{cron: "', "*/1,", '* * * * *"}}}'), (_S + "{every: 1m, except: [", "2026-01-01,", "]}}}")
    ),
    _repeated((_S + '{days: "', "mon-sun,", 'mon", at: 9:00}}}'), (_S + "{every: ", "9", "s}}}")),
    _repeated(
        ("rosters:\n  r:\n", "    - {id: p#, name: N}\n", ""),
        ("rosters:\n  r:\n", "    - {id: p#, nme: N}\n", ""),
    ),
    _repeated(
        ("rosters:\n  r:\n", "    - {id: p#, name: N, timezone: Europe/X#}\n", ""),
        ("rosters: {r: [", "a,", "]}"),
    ),
    _repeated(
        ("schedules:\n", "  s#: {when: {every: 1m}, conversation: {persona_id: x}}\n", ""),
        ("schedules:\n", "  s#:\n", ""),
    ),
    _repeated(
        ("x: &a [a]\ny: [", "*a,", "]"), ("x: ", "!!str ", "y"), ("", "--- {}\n", ""), ("", "%TAG ! x\n", "")
    ),
    _repeated(
        (_S + '{every: 1m}}}\ny: "{{ x }}', "{{", '"'),
        (
            "schedules: {s: {timezone: UTC, when: {every: 1m},"
            ' conversation: {conversational_context: "{{ x }}',
            "{{",
            '"}}}',
        ),
        (
            "schedules: {s: {timezone: UTC, when: {every: 1m}, conversation: {memory_stores: [",
            '"{{ x }}",',
            "]}}}",
        ),
    ),
)

"""Mail, webhooks and Slack: what they mean, and every error at its exact place."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.model import Address, Wording
from scheduler.config import Problem, load, read
from scheduler.model import Config, Mail, SecretRef, Security, Smtp

GOOD = """\
version: 1
account: {concurrent_conversations: 3}
mail:
  from: Practice <practice@example.com>
  smtp:
    host: smtp.example.com
    port: 587
    security: starttls
    username: practice
    password: {env: SMTP_PASSWORD}
  connections: 2
rosters:
  east:
    - {id: ana, name: Ana, email: ana@example.com}
    - {id: ben, name: Ben, email: ben@example.com}
schedules:
  coach:
    timezone: UTC
    when: {every: 15m}
    participants: east
    conversation: {persona_id: p, properties: {participant_absent_timeout: 2m}}
    mail:
      subject: Practice at {{ slot.time }}
      text: "{{ participant.name }}: {{ link.url }}"
      html: >-
        <p>Hello,</p>
        <a href="{{ link.url }}">join</a>
    deliver:
      - mail
      - webhook: https://hooks.example.com/a/b
        secret: {file: /run/hook}
      - slack: https://hooks.slack.com/services/T/B/x
  others:
    when: {every: 1h}
    conversation: {persona_id: p}
    deliver: {webhook: https://other.example/c}
"""

# what is replaced, by what, where the caret stands, what is said, and the way out
CASES = [
    # the section
    ("  from: Practice <practice@example.com>\n", "", "smtp:", 'the key "from" is missing', ""),
    ("<practice@example.com>", "practice@example.com", "Practice p", "expected an address such as", ""),
    ("<practice@example.com>", "<practice@exämple.com>", "Practice <", "in ASCII", "xn--exmple-cua.com"),
    ("<practice@example.com>", "<prüfung@example.com>", "Practice <", "in ASCII", ""),
    ("from: Practice", 'from: "Pract"', "<pr", "text goes on after", ""),
    ("Practice <practice@example.com>", '"=?x?= <a@b.c>"', '"=?', "expected an address", ""),
    ("Practice <practice@example.com>", '"A\\r\\nBcc: <a@b.c>"', '"A', "expected an address", ""),
    ("Practice <practice@example.com>", "a@b.c, d@e.f", "a@b.c", "expected an address", ""),
    ("  connections: 2", "  connections: 0", "0\nr", "0 is too small: 1 to 100", ""),
    ("  connections: 2", "  recipient: a@b.c", "recipient", 'unknown key "recipient"', "each participant's"),
    ("  connections: 2", "  sink: letters", "letters\nr", "exactly one of them", "sink: letters"),
    ("  connections: 2", "  subject: hello", "subject: h", 'unknown key "subject"', "in a schedule"),
    ("  connections: 2", "  username: x", "username: x", 'unknown key "username"', "below `smtp`"),
    # the server
    ("    host: smtp.example.com\n", "", "port", 'the key "host" is missing', ""),
    ("host: smtp.example.com", "host: smtp.example.com:25", "smtp", "expected a host", "stands at `port`"),
    ("host: smtp", "host: smtps://smtp", "smtps", "expected a host", "without a scheme"),
    ("    port: 587", "    port: 70000", "70000", "70000 is too large", ""),
    ("    port: 587", "    port: smtp", "smtp\n", "expected a whole number, 1 to 65535", ""),
    ("    port: 587", "    port: 465", "starttls", "port 465 speaks TLS from its first", "security: tls"),
    ("security: starttls", "security: tls", "tls\n", "port 587 speaks TLS only after", "or port: 465"),
    ("security: starttls", "security: ssl", "ssl", "expected starttls or tls or none", ""),
    ("security: starttls", "security: none", "none", '"smtp.example.com" is another one', "starttls"),
    ("    username: practice\n", "", "{env: SMTP", "a password without a username", "write username"),
    ("    username:", "    usrname:", "usrname", 'unknown key "usrname"', 'did you mean "username"?'),
    ("    username:", "    user:", "user", 'unknown key "user"', "write username"),
    ("    password: {env: SMTP_PASSWORD}\n", "", "practice\n", "a username without", "{env: SMTP_PASSWORD}"),
    ("{env: SMTP_PASSWORD}", "hunter2", "hunter2", "a secret never stands in this file", "{env: SMTP_P"),
    # the words
    ("slot.time }}", "slot.tmie }}", "slot.tmie", "did you mean `slot.time`?", ""),
    ("<p>Hello,", "<p>{{ participant.emial }}", "participant.emial", "is not known", ""),
    ('href="{{ link.url }}"', 'href=""', ">-", "without {{ link.url }}", ""),
    ("Practice at {{ slot.time }}", '"a\\r\\nBcc: x@y.z"', '"a', "a subject is one line", ""),
    ("Practice at {{ slot.time }}", '"=?utf-8?q?x?="', '"=?', "a subject is one line", ""),
    ("Practice at {{ slot.time }}", "Practice #1", "Practice #", "ends before the ` #`", "in quotes"),
    ("Practice at {{ slot.time }}", '" "', '" "', "nothing to read", "leave the key out"),
    ("Practice at {{ slot.time }}", "null", "null", "is the text null, not nothing", ""),
    ("      subject:", "      subjct:", "subjct", 'unknown key "subjct"', 'did you mean "subject"?'),
    ("      subject:", "      from:", "from: Practice at", 'unknown key "from"', "at the top of a file"),
    # who
    (", email: ben@example.com", "", "east\n    conv", 'address for the participant "ben"', "`email`"),
    ("    participants: east\n", "", "mail\n      - webhook", 'participants, and "coach" has none', ""),
    ("ben@example.com", "ben@-example.com", "ben@", "expected an e-mail address", ""),
    ("absent_timeout: 2m", "absent_timeout: 80s", "80s", "too short for a mail", "15m for one that is grey"),
    # where
    ("      - mail\n", "      - mial\n", "mial", "expected log, mail, {webhook", 'did you mean "mail"?'),
    ("      - mail\n", "      - mail\n      - webhook\n", "webhook\n", "webhook needs its URL", "{webhook"),
    ("      - mail\n", "      - mail\n      - [log]\n", "[log]", "{slack: URL}, found a list", ""),
    ("      - webhook:", "      - webhok:", "webhok", 'unknown key "webhok"', 'did you mean "webhook"?'),
    ("      - webhook:", "      - url:", "url", 'unknown key "url"', "write webhook: URL"),
    ("      - webhook:", "      - slack:", "slack: https://hooks.e", "`secret` goes with `web", "remove"),
    ("        secret:", "        slack: https://x.y\n        secret:", "webhook: h", "each item is", "log"),
    ("{file: /run/hook}", "whsec_abc", "whsec", "a secret never stands", "CALLBOARD_WEBHOOK_SECRET"),
    ("https://hooks.example.com/a/b", "http://hooks.example.com/a", "http:", "this machine only", "https://"),
    ("https://hooks.example.com/a/b", "https://me:x@h.example/a", "https:", "no user and no", ""),
    ("https://hooks.example.com/a/b", "hooks.example.com/a", "hooks", "expected a URL such as", ""),
    ("https://hooks.example.com/a/b", "https://h.example/{{ a }}", "https:", "expected a URL such as", ""),
    ("https://other.example/c", "https://hooks.example.com/a/b", "{webhook", "with another secret", "first"),
]  # fmt: skip


def problems(folder: Path, text: str) -> tuple[Problem, ...]:
    (folder / "a.yaml").write_text(text)
    return read([folder / "a.yaml"])[1]


def config(folder: Path, *changes: tuple[str, str]) -> Config:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "a.yaml").write_text(text)
    return load([folder / "a.yaml"])


@pytest.mark.parametrize(
    ("old", "new", "at", "said", "hint"), CASES, ids=[f"{c[1][:40]!r}-{c[3][:30]}" for c in CASES]
)
def test_one_change_is_told_at_its_place(
    tmp_path: Path, old: str, new: str, at: str, said: str, hint: str
) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    before = text[: text.index(at, GOOD.index(old) if at in new else 0)]
    found = problems(tmp_path, text)
    assert len(found) == 1, [p.render() for p in found]
    assert said in found[0].message and hint in (found[0].hint or ""), found[0].render()
    assert (found[0].line, found[0].column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_everything_written_is_kept(tmp_path: Path) -> None:
    found = config(tmp_path)
    assert found.warnings == ()
    password = SecretRef("env", "SMTP_PASSWORD")
    server = Smtp(host="smtp.example.com", username="practice", password=password)
    assert found.mail == Mail(sender="Practice <practice@example.com>", smtp=server, connections=2)
    coach, others = found.schedules.values()
    assert coach.deliver == (
        Address("mail"),
        Address("webhook", "https://hooks.example.com/a/b"),
        Address("slack", "https://hooks.slack.com/services/T/B/x"),
    )
    assert coach.wording == Wording(
        "Practice at {{ slot.time }}",
        "{{ participant.name }}: {{ link.url }}",
        '<p>Hello,</p> <a href="{{ link.url }}">join</a>',
    )
    assert others.wording == Wording()
    assert found.webhook_secrets == {
        "https://hooks.example.com/a/b": SecretRef("file", "/run/hook"),
        "https://other.example/c": SecretRef("env", "CALLBOARD_WEBHOOK_SECRET"),
    }


@pytest.mark.parametrize(
    ("words", "port", "security"),
    [
        ("", 587, Security.STARTTLS),
        ("port: 25", 25, Security.STARTTLS),
        ("port: 465", 465, Security.TLS),
        ("security: tls", 465, Security.TLS),
        ("port: 2465, security: tls", 2465, Security.TLS),
        ("port: 1025, security: none", 1025, Security.NONE),
    ],
)
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", '"::1"'])
def test_port_and_security_follow_each_other(
    tmp_path: Path, words: str, port: int, security: Security, name: str
) -> None:
    start, end = GOOD.index("  smtp:"), GOOD.index("  connections")
    found = config(tmp_path, (GOOD[start:end], f"  smtp: {{host: {name}, {words}}}\n"))
    assert found.mail is not None
    assert found.mail.smtp == Smtp(host=name.strip('"'), port=port, security=security)
    assert found.warnings == ()


def test_the_section_stands_in_one_file_and_its_sink_beside_it(tmp_path: Path) -> None:
    """The section may stand in another file than the schedules, and is needed by those alone that mail."""
    start, end = GOOD.index("mail:"), GOOD.index("rosters:")
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text(GOOD[:start] + GOOD[end:])
    (problem,) = read([tmp_path / "a.yaml"])[1]
    assert problem.message == "`deliver: mail` needs the section `mail`"
    assert problem.hint is not None and problem.hint.startswith("write mail: {from: practice@example.com")
    (tmp_path / "sub" / "b.yaml").write_text("version: 1\nmail: {from: a@b.c, sink: out/letters}\n")
    found = load([tmp_path / "a.yaml", tmp_path / "sub"])
    assert found.mail == Mail(sender="a@b.c", sink=str(tmp_path / "sub/out/letters"))
    (tmp_path / "c.yaml").write_text("version: 1\nmail: {from: a@b.c, sink: x}\n")
    (again,) = read([tmp_path, tmp_path / "sub"])[1]
    assert again.message == '"mail" may stand in one file only'


def test_a_broken_section_is_not_told_as_a_missing_one(tmp_path: Path) -> None:
    found = problems(tmp_path, GOOD.replace("port: 587", "port: x"))
    assert [problem.line for problem in found] == [7]


def test_a_section_and_words_that_nobody_uses_are_doubted(tmp_path: Path) -> None:
    section, words = problems(tmp_path, GOOD.replace("      - mail\n", ""))
    assert (section.severity, section.line, section.column) == ("warning", 3, 1)
    assert section.message == "no schedule delivers by mail"
    assert (words.severity, words.line, words.column) == ("warning", 22, 5)
    assert words.message == 'nobody reads these words: "coach" doesn\'t deliver by mail'


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [("  from:", "  sender:", "write from"), ("host: smtp", "server: smtp", "write host")],
)
def test_a_required_key_under_another_name_is_told_how_it_is_called(
    tmp_path: Path, old: str, new: str, hint: str
) -> None:
    hints = [problem.hint for problem in problems(tmp_path, GOOD.replace(old, new))]
    assert sorted(filter(None, hints)) == [hint]


def test_channels_are_named_once_and_words_come_from_the_defaults(tmp_path: Path) -> None:
    hooks = GOOD[GOOD.index("      - webhook:") : GOOD.index("  others:")]
    words = GOOD[GOOD.index("      subject:") : GOOD.index("      text:")]
    defaults = "defaults: {mail: {subject: Ours, html: '{{ link.url }}'}}\nschedules:"
    found = config(tmp_path, (hooks, hooks * 2 + "      - mail\n"), (words, ""), ("schedules:", defaults))
    coach, others = found.schedules.values()
    assert [address.channel for address in coach.deliver] == ["mail", "webhook", "slack"]
    assert coach.wording.subject == "Ours"
    assert coach.wording.html is not None and coach.wording.html.startswith("<p>")
    assert others.wording == Wording("Ours", None, "{{ link.url }}")


def test_no_message_holds_a_webhooks_url(tmp_path: Path) -> None:
    """In each of the cases above: its host, and nothing after it."""
    for old, new, *_ in CASES:
        for problem in problems(tmp_path, GOOD.replace(old, new, 1)):
            told = f"{problem.render()} {problem!r}"
            assert not any(path in told for path in ("/a/b", "services", "example/c", "/run/hook")), told

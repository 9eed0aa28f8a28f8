"""Every kind of error, at its exact place: a good file, one change, one problem."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.config import Problem, read

GOOD = """\
version: 1
service:
  ledger: data/callboard.db
  reload: signal
account:
  base_url: https://tavusapi.com
  api_key: {env: TAVUS_API_KEY}
  ids: persona
  requests: 60/min
  concurrent_conversations: 10
  reserve: 2
  max_call_duration: 60m
rosters:
  east:
    - {id: ana, name: Ana Ruiz, email: ana@example.com, timezone: America/New_York}
    - {id: ben, name: Ben Ode}
  west: {file: west.csv}
defaults:
  timezone: America/New_York
  lead: 30s
schedules:
  coach:
    when:
      days: mon-fri
      at: ["09:00", "15:30"]
      from: 2026-01-01
      until: 2026-12-31
      except: [2026-12-24, {from: 2026-12-25, until: 2026-12-26, name: Xmas}]
      gap: shift
      fold: first
    participants: [east, west]
    conversation:
      persona_id: pdced222244b
      replica_id: rfe12d8b9597
      conversation_name: Improve Sales Technique
      conversational_context: >-
        Help me practice.
        My name is {{ participant.name }}.
      callback_url: https://example.com/hook
      document_retrieval_strategy: balanced
      max_participants: 2
      test_mode: no
      properties:
        max_call_duration: 30m
        participant_left_timeout: 60s
        participant_absent_timeout: 2m
    open: at_slot
    start_window: 10m
    overlap: skip
    spread: 0s
    deliver: [log]
    enabled: true
"""
WEST = "id,name,email,timezone\ncy,Cy Ode,cy@example.com,America/Denver\ndi,Di Ode,,\n"

# what is replaced, by what, where the caret stands (in the new words, or anywhere), what is said
CASES = [
    # keys
    ("lead: 30s", "leed: 30s", "leed", 'unknown key "leed"'),
    (
        "  reload: signal",
        "  public_url: https://x.example",
        "public_url",
        '"public_url" is not in this version',
    ),
    ("  reload: signal", "  public_url: https://x.example", "public_url", "not in this version"),
    ("reload: signal", "reload: wacth", "wacth", "expected signal or watch"),
    ("ledger: data/callboard.db", "ledger: mysql://db/x", "mysql", "a file, or a database of PostgreSQL's"),
    ("ledger: data/callboard.db", "ledger: postgresql://db", "postgresql", "names no database"),
    ("  reserve: 2", "  price_per_minute: 0.32", "price_per_minute", "not in this version"),
    ("  reserve: 2", "  budget: {minutes_per_month: 9}", "budget", "not in this version"),
    ("open: at_slot", "open: on_join", "on_join", "not in this version"),
    ("gap: shift", "holidays: US", "holidays", "not in this version"),
    ("deliver: [log]", "deliver: []", "[]", "the list is empty"),
    ("lead: 30s", "lead: 30s\n  lead: 40s", "lead: 40s", 'the key "lead" is given twice'),
    ("version: 1", "version: 2", "2", "version 2 is not in this version"),
    ("persona_id: pdced", "pal_id: pdced", "pal_id", 'unknown key "pal_id"'),
    ("gap: shift", "first: 2026-01-01", "first: 2026", 'unknown key "first"'),
    # scalars
    ("lead: 30s", "lead: half", "half", 'expected a duration such as 90s, 15m or 1h30m, found "half"'),
    ("lead: 30s", "lead: 1 H 30M", "1 H", "expected a duration"),
    ("lead: 30s", "lead:", "\nschedules:", "found nothing"),
    ("lead: 30s", "lead: [30s]", "[30s]", "found a list"),
    ("lead: 30s", "lead: {s: 30}", "{s", "found a mapping"),
    ("requests: 60/min", "requests: 60/minute", "60/minute", "expected a rate"),
    ("requests: 60/min", "requests: 0/s", "0/s", "expected a rate"),
    ("concurrent_conversations: 10", "concurrent_conversations: 0", "0\n  res", "0 is too small"),
    ("concurrent_conversations: 10", "concurrent_conversations: many", "many", "expected a whole number"),
    ("reserve: 2", "reserve: 10", "10\n  max", "reserve 10 leaves nothing of 10"),
    ("ids: persona", "ids: persone", "persone", "expected persona or pal"),
    ("base_url: https", "base_url: http", "http://", "http is for this machine only"),
    ("base_url: https://", "base_url: ftp://", "ftp", "expected a URL"),
    ("test_mode: no", "test_mode: nope", "nope", "expected true or false"),
    ("max_participants: 2", "max_participants: 1", "1\n      test", "1 is too small"),
    ("strategy: balanced", "strategy: balance", "balance", "expected speed or quality or balanced"),
    ("callback_url: https://", "callback_url: example", "exampleexample", "expected a URL"),
    ("persona_id: pdced222244b", "persona_id: [x]", "[x]", "expected text, found a list"),
    ("email: ana@example.com", "email: ana", "ana, timezone", "expected an e-mail address"),
    ("name: Ben Ode", 'name: ""', '""', "expected text of one line"),
    ("id: ben", "id: b/n", "b/n", "a name can't contain a `/`"),
    ("id: ben", 'id: "*"', '"*"', 'the name "*" is reserved'),
    ("{id: ben, name: Ben Ode}", "{id: ben}", "{id: ben}", 'the key "name" is missing here'),
    # names
    ("  coach:", "  my coach:", "my coach", "a name can't contain a blank"),
    ("  coach:", f"  {'x' * 65}:", "xxx", "a name has 1 to 64 characters, this has 65"),
    ("  east:", "  ea/st: [{id: x, name: X}]\n  east:", "ea/st", "a name can't contain a `/`"),
    # times (S1, S3, S10)
    ("timezone: America/New_York\n  lead", "timezone: EST\n  lead", "EST", '"EST" is not an IANA time zone'),
    ("timezone: America/New_York\n  lead", "timezone: UTC+2\n  lead", "UTC+2", "is not an IANA time zone"),
    ("timezone: America/New_York\n  lead", "timezone: America\n  lead", "America\n", "not an IANA time zone"),
    ("timezone: America/New_York}", "timezone: participant}", "participant}", "not an IANA time zone"),
    ("  timezone: America/New_York\n  lead", "  lead", "when:", "the time zone is missing"),
    ('at: ["09:00", "15:30"]', "at: 9am", "9am", "expected a time of day"),
    ('at: ["09:00", "15:30"]', 'at: ["09:00", "24:00"]', '"24:00"', "expected a time of day"),
    ('at: ["09:00", "15:30"]', 'at: ["09:00", 9:00]', "9:00]", 'the slot "09:00" is given twice'),
    ('at: ["09:00", "15:30"]', 'at: {"*": 9:00}', '"*"', 'the name "*" is reserved'),
    ('at: ["09:00", "15:30"]', "at: []", "[]", "the list is empty"),
    ('      at: ["09:00", "15:30"]\n', "", "days: mon", "`days` needs `at`"),
    ("days: mon-fri", "days: mon-fry", "mon-fry", '"fry" is not a weekday'),
    ("days: mon-fri", "days: 1-5", "1-5", "weekdays go by name"),
    ("days: mon-fri", "days: mon\n      cron: 0 9 * * *", "cron", "two forms"),
    ("days: mon-fri", "every: 15m", "at: [", "`at` goes with `days`"),
    ('days: mon-fri\n      at: ["09:00", "15:30"]', "timezone: UTC", "when:", "a form is missing"),
    ("from: 2026-01-01", "from: 2027-01-01", "2027", "`from` is later than `until`"),
    ("from: 2026-01-01", "from: 2026-02-30", "2026-02-30", "there is no such day"),
    ("from: 2026-12-25,", "from: 2026-12-27,", "2026-12-27", "`from` is later than `until`"),
    ("except: [2026-12-24,", "except: [24.12.2026,", "24.12", "expected a date"),
    ("gap: shift", "gap: shiftt", "shiftt", "expected shift or first_valid or skip"),
    # who
    ("participants: [east, west]", "participants: [eats, west]", "eats", 'unknown roster "eats"'),
    ("participants: [east, west]", "participants: []", "[]", "the list is empty"),
    ("{file: west.csv}", "{file: wets.csv}", "wets.csv", "can't be read: no such file"),
    ("{file: west.csv}", "[]", "[]", "the list is empty"),
    ("id: ben, name: Ben Ode", "id: ana, name: Ben Ode", "ana, name: Ben", "has other data elsewhere"),
    ("participants: [east, west]", "timezone: participant", "participant\n    conv", "needs participants"),
    # several keys (S8, S21)
    ("absent_timeout: 2m", "absent_timeout: 20s", "20s", "counts from creation, 30 s before the slot"),
    ("absent_timeout: 2m", "absent_timeout: 60s", "60s\n    open", "leaves 30 s of the slot to join"),
    ("left_timeout: 60s", "left_timeout: 0", "0\n        participant_absent", "one dropped connection"),
    ("max_call_duration: 30m", "max_call_duration: 2h", "2h", "max_call_duration (7200 s) can't be held"),
    ("spread: 0s", "spread: 8h", "8h", "spread (28800 s) reaches the next slot"),
    ("  concurrent_conversations: 10\n  reserve: 2\n", "", "account", "concurrent_conversations is left out"),
    # texts
    ("participant.name }}", "participant.nam }}", "participant.nam", "`participant.nam` is not known"),
    ("Sales Technique", "Sales {{ foo }} {{", "Improve", "template:"),
    ("Sales Technique", "Sales #1", "Improve", "ends before the ` #`"),
    ("Sales Technique", "Sales # one", "Improve", "ends before the ` #`"),
    ("name: Improve Sales Technique", "name: null", "null", "is the text null, not nothing"),
    (
        "Improve Sales Technique",
        "{{ slot.name }} practice",
        "{{ slot",
        "begins with `{{` must stand in quotes",
    ),
    ("Improve Sales Technique", "{{ slot.name }}", "{{ slot", "begins with `{{` must stand in quotes"),
    ("Improve Sales Technique", "*Improve* it", "*Imp", "begins with `*`"),
    ("Improve Sales Technique", "*improve", "*imp", "begins with `*`"),
    ("Improve Sales Technique", "&improve it", "&imp", "begins with `&`"),
    ("Improve Sales Technique", "!improve it", "!imp", "begins with `!`"),
    ("Improve Sales Technique", "@sales", "@sales", "begins with `@`"),
    ("Improve Sales Technique", "[Sales] technique", "[Sales]", "begins with `[`"),
    ("Improve Sales Technique", "[Sales technique", "[Sales", "never closed"),
    ("Improve Sales Technique", "Improve: Sales", ": Sales", "a `: ` inside a value"),
    ("Improve Sales Technique", '"Improve" sales', "sales\n", "after the closing quote"),
    ("Improve Sales Technique", '"Improve sales', '"Improve', "a quote that is never closed"),
    ("      persona_id", "\t\tpersona_id", "\t\tpersona_id", "a tab, where YAML takes only blanks"),
    ("Improve Sales Technique", "Improve\x07", "\x07", "a character that can't stand in YAML"),
    ("  coach:", "---\nversion: 1\n  coach:", "---", "one document in a file"),
    ("Improve Sales Technique", "[" * 40, "[" * 12 + "\n", "nested deeper than 32 levels"),
    ("persona_id: pdced222244b", "? [a]\n      : b", "[a]", "a key is a plain word"),
]


def problems(folder: Path, text: str) -> tuple[Problem, ...]:
    (folder / "west.csv").write_text(WEST)
    (folder / "a.yaml").write_text(text)
    return read([folder / "a.yaml"])[1]


@pytest.mark.parametrize(
    ("old", "new", "at", "said"), CASES, ids=[f"{c[1][:40]!r}-{c[3][:30]}" for c in CASES]
)
def test_one_change_is_told_at_its_place(tmp_path: Path, old: str, new: str, at: str, said: str) -> None:
    assert GOOD.count(old) >= 1
    text = GOOD.replace(old, new, 1)
    start = GOOD.index(old) if at in new else 0
    before = text[: text.index(at, start)]
    place = before.count("\n") + 1, len(before) - before.rfind("\n")
    found = problems(tmp_path, text)
    assert [(p.line, p.column) for p in found if said in p.message] == [place], [p.render() for p in found]
    assert len(found) == 1, [p.render() for p in found]


def test_the_good_file_is_good(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == ()


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ("lead: 30s", "leed: 30s", 'did you mean "lead"?'),
        ("account:", "acount:", 'did you mean "account"?'),
        ("lead: 30s", "lead: 1 H 30M", "did you mean 1h30m?"),
        ("requests: 60/min", "requests: 60/minute", "did you mean 60/min?"),
        ("timezone: America/New_York\n  lead", "timezone: EST\n  lead", 'did you mean "America/New_York"?'),
        ("timezone: America/New_York\n  lead", "timezone: Berlin\n  lead", 'did you mean "Europe/Berlin"?'),
        (
            "timezone: America/New_York\n  lead",
            "timezone: new york\n  lead",
            'did you mean "America/New_York"?',
        ),
        (
            "timezone: America/New_York\n  lead",
            "timezone: +02:00\n  lead",
            "an offset knows no clock changes",
        ),
        ("participants: [east, west]", "participants: [eats]", 'did you mean "east"?'),
        ("{file: west.csv}", "{file: wets.csv}", 'did you mean "west.csv"?'),
        ("days: mon-fri", "days: tues", 'did you mean "tue"?'),
        ("overlap: skip", "overlap: alow", 'did you mean "allow"?'),
        ("persona_id: pdced", "face_id: pdced", "write replica_id;"),
        ("absent_timeout: 2m", "absent_timeout: 20s", "write at least 90s"),
    ],
)
def test_a_way_out(tmp_path: Path, old: str, new: str, hint: str) -> None:
    hints = [problem.hint or "" for problem in problems(tmp_path, GOOD.replace(old, new, 1))]
    assert any(hint in found for found in hints), hints


def test_it_looks_like_this(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, GOOD.replace("  lead: 30s", "  leed: 30s"))
    assert found.render().splitlines() == [
        f'{tmp_path}/a.yaml:20:3: error: unknown key "leed"',
        "      leed: 30s",
        "      ^",
        '  did you mean "lead"?',
    ]


def test_the_caret_stands_under_wide_letters_and_in_long_lines(tmp_path: Path) -> None:
    wide = GOOD.replace("{id: ben, name: Ben Ode}", "{id: ben, name: 山田, nick: x}")
    row, caret = problems(tmp_path, wide)[0].render().splitlines()[1:3]
    assert caret.index("^") == row.index("nick") + 2
    long = GOOD.replace("{id: ben, name: Ben Ode}", "{id: ben, name: " + "x" * 190 + ", nick: x}")
    row, caret = problems(tmp_path, long)[0].render().splitlines()[1:3]
    assert caret.index("^") == row.index("nick")
    assert len(row) < 140


def test_all_errors_at_once_in_file_order(tmp_path: Path) -> None:
    text = GOOD.replace("lead: 30s", "leed: 30s").replace("[east, west]", "[eats, west]")
    text = (
        text.replace("id: ben", "id: b n")
        .replace("60/min", "60/x")
        .replace("absent_timeout: 2m", "absent: 2m")
    )
    found = [(problem.line, problem.message) for problem in problems(tmp_path, text)]
    assert [line for line, _ in found] == [9, 16, 20, 31, 46]
    assert "60/x" in found[0][1] and "blank" in found[1][1] and "leed" in found[2][1]
    assert "eats" in found[3][1] and '"participant_absent"' in found[4][1]

"""From paths to one configuration: files, directories, merging, rosters."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobs.model import Participant
from scheduler.config import ConfigErrors, Problem, load, read

SCHEDULE = "  {name}: {{timezone: UTC, when: {{every: 15m}}, conversation: {{persona_id: p}}{more}}}\n"
TOP = "version: 1\naccount: {concurrent_conversations: 3}\n"


def entry(name: str, more: str = "") -> str:
    return SCHEDULE.format(name=name, more=more)


def told(*paths: Path) -> list[str]:
    return [problem.render() for problem in read(paths)[1]]


def only(*paths: Path) -> Problem:
    (problem,) = read(paths)[1]
    return problem


def test_a_directory_is_its_yaml_files_directly_inside(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text(TOP + "schedules:\n" + entry("two"))
    (tmp_path / "a.yaml").write_text("version: 1\nschedules:\n" + entry("one"))
    for name in (".hidden.yaml", "notes.txt", "a.yaml.bak"):
        (tmp_path / name).write_text("not: [read")
    (tmp_path / "sub.yaml").mkdir()
    (tmp_path / "sub.yaml" / "c.yaml").write_text("not: [read")
    assert list(load([tmp_path]).schedules) == ["one", "two"]
    assert list(load([tmp_path, tmp_path / "a.yaml"]).schedules) == ["one", "two"], "each file once"
    assert load([tmp_path]).service.ledger == str(tmp_path / "callboard.db")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.yaml", b"", "the file is empty"),
        ("comment.yaml", b"# nothing\n", "the file is empty"),
        ("latin.yaml", b"version: 1\nname: M\xfcller\n", "not UTF-8 (line 2"),
        ("wide.yaml", "version: 1\n".encode("utf-16"), "UTF-16"),
        ("nul.yaml", b"version: 1\n\x00", "NUL"),
        ("large.yaml", b"#" * ((1 << 20) + 1), "larger than 1 MiB"),
        ("list.yaml", b"- a\n", "a configuration is a mapping"),
        ("deep.yaml", b"[" * 200_000, "nested deeper than 32"),
        ("deep2.yaml", b"- " * 200_000, "nested deeper than 32"),
        ("deep3.yaml", b"{a: " * 200_000, "nested deeper than 32"),
        ("missing.yaml", None, "can't be read: no such file"),
    ],
)
def test_a_file_that_cant_be_used_is_one_problem(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    problem = only(tmp_path / name)
    assert said in problem.message and problem.file == str(tmp_path / name)
    assert problem.render().startswith(f"{tmp_path}/{name}:")


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    assert "no *.yaml or *.yml file" in only(tmp_path).message
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "neither a file nor a directory" in only(tmp_path / "pipe.yaml").message
    assert "neither a file nor a directory" in only(Path("/dev/zero")).message
    assert "no configuration was given" in only().message
    assert "can't be read" in only(tmp_path / "nul\0.yaml").message
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    assert "no such file" in only(tmp_path / "gone.yaml").message


def test_a_byte_order_mark_at_the_start_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbf" + (TOP + "x: 1\nschedules:\n" + entry("s")).encode())
    assert [(p.line, p.column) for p in read([tmp_path / "a.yaml"])[1]] == [(3, 1)]


def test_names_and_sections_given_twice_show_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TOP + "rosters:\n  r: [{id: a, name: A}]\nschedules:\n" + entry("s"))
    (tmp_path / "b.yaml").write_text(TOP + "rosters:\n  r: [{id: a, name: A}]\nschedules:\n" + entry("s"))
    found = read([tmp_path])[1]
    assert [(p.file[-6:], p.line, p.column) for p in found] == [
        ("b.yaml", 2, 1),
        ("b.yaml", 4, 3),
        ("b.yaml", 6, 3),
    ]
    assert [p.hint for p in found] == [f"first at {tmp_path}/a.yaml:{at}" for at in ("2:1", "4:3", "6:3")]


def test_each_file_needs_its_version(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TOP)
    (tmp_path / "b.yaml").write_text("\nschedules:\n" + entry("s"))
    problem = only(tmp_path)
    assert (problem.file[-6:], problem.line, problem.message) == ("b.yaml", 1, 'the key "version" is missing')


def test_an_unreadable_file_doesnt_put_others_in_the_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(TOP + "rosters: {r: [{id: a, name: A}]\n")
    (tmp_path / "b.yaml").write_text("version: 1\nschedules:\n" + entry("s", ", participants: r, leed: 3s"))
    found = read([tmp_path])[1]
    assert [p.file[-6:] for p in found] == ["a.yaml", "b.yaml"]
    assert "leed" in found[1].message


def test_defaults_are_merged_deeply(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        TOP + "defaults:\n  timezone: UTC\n  participants: [{id: a, name: A}]\n  lead: 10s\n  conversation:\n"
        "    persona_id: p\n    participant_tags: [x, y]\n    properties: {participant_left_timeout: 90,"
        " language: english}\n"
        "schedules:\n  s:\n    when: {every: 15m}\n    lead: 20s\n    conversation:\n"
        "      participant_tags: [z]\n"
        "      properties: {language: german}\n"
    )
    found = load([tmp_path]).schedules["s"]
    assert (found.request.persona_id, found.request.participant_tags) == ("p", ("z",))
    assert (found.request.properties.participant_left_timeout, found.request.properties.language) == (
        90,
        "german",
    )
    assert found.lead_s == 20 and [person.id for person in found.participants] == ["a"]


def test_what_is_wrong_in_the_defaults_is_told_there_and_once(tmp_path: Path) -> None:
    schedules = "schedules:\n" + entry("s") + entry("t")
    (tmp_path / "a.yaml").write_text("version: 1\ndefaults: {lead: x}\n" + schedules)
    assert [(p.line, p.column) for p in read([tmp_path])[1] if p.severity == "error"] == [(2, 18)]
    (tmp_path / "a.yaml").write_text("version: 1\ndefaults: {lead: 10m}\n" + schedules)
    assert [(p.line, p.column) for p in read([tmp_path])[1] if p.severity == "error"] == [(2, 18)]


def test_relative_paths_start_at_the_file_that_has_them(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    (tmp_path / "one" / "a.yaml").write_text(TOP + "schedules:\n" + entry("s", ", participants: r"))
    (tmp_path / "two" / "b.yaml").write_text(
        "version: 1\nservice: {ledger: x.db}\nrosters: {r: {file: r.csv}}\n"
    )
    (tmp_path / "two" / "r.csv").write_text("id,name\nana,Ana\n")
    found = load([tmp_path / "one", tmp_path / "two" / "b.yaml"])
    assert found.service.ledger == str(tmp_path / "two" / "x.db")
    assert found.schedules["s"].participants == (Participant("ana", "Ana"),)


def roster(folder: Path, content: bytes | str) -> tuple[Participant, ...]:
    data = content.encode() if isinstance(content, str) else content
    (folder / "r.csv").write_bytes(data)
    (folder / "a.yaml").write_text(
        TOP + "rosters: {r: {file: r.csv}}\nschedules:\n" + entry("s", ", participants: r")
    )
    return load([folder / "a.yaml"]).schedules["s"].participants


@pytest.mark.parametrize(
    "content",
    [
        "id,name,email,timezone\nana,Ana Ruiz,ana@example.com,UTC\nben,Ben,,\n",
        "\ufeffid,name,email,timezone\r\nana,Ana Ruiz,ana@example.com,UTC\r\n\r\nben,Ben,,\r\n",
        'Name , ID,timezone,email\n"Ana Ruiz",ana,UTC,ana@example.com\n,,,\n Ben ,ben,,',
    ],
)
def test_rosters_as_spreadsheets_write_them(tmp_path: Path, content: str) -> None:
    assert roster(tmp_path, content) == (
        Participant("ana", "Ana Ruiz", "ana@example.com", "UTC"),
        Participant("ben", "Ben"),
    )


@pytest.mark.parametrize(
    ("content", "line", "column", "said"),
    [
        ("", 1, 1, "the roster is empty"),
        ("id,name\n", 1, 1, "nobody below its header"),
        ("id;name\nana;Ana\n", 1, 1, "not separated by commas"),
        ("id,nmae\nana,Ana\n", 1, 1, 'row 1: unknown or repeated column "nmae"'),
        ("id,name,id\nana,Ana,ana\n", 1, 1, 'unknown or repeated column "id"'),
        ("id,email\nana,a@b.c\n", 1, 1, 'row 1: the column "name" is missing'),
        ("id,name\nana,Ana\nben,Ben,x\n", 3, 1, "row 3: 3 values for 2 columns"),
        ("id,name,email\nana,Ana,ana\n", 2, 1, "row 2: email: expected an e-mail address"),
        ("id,name,timezone\nana,Ana,EST\n", 2, 9, 'row 2: timezone: "EST" is not an IANA time zone'),
        ("id,name\na/b,Ana\n", 2, 1, "row 2: id: a name can't contain a `/`"),
        ("id,name\nana,\n", 2, 1, "row 2: name: nothing is written here"),
        ("id,name\nana,Ana\nana,Bob\n", 3, 1, 'the participant "ana" has other data elsewhere'),
        ('id,name\nana,"Ana\n', 2, 1, "not CSV"),
        (b"id,name\nana,M\xfcller\n", 3, 21, "not UTF-8 (line 2"),
        ("id,name\nana,A\x00\n", 2, 6, "NUL"),
        (b"id,name\n" + b"#" * (9 << 20), 3, 21, "larger than 8 MiB"),
    ],
)
def test_a_bad_row_is_told_with_its_number(
    tmp_path: Path, content: bytes | str, line: int, column: int, said: str
) -> None:
    with pytest.raises(ConfigErrors) as raised:
        roster(tmp_path, content)
    (problem,) = raised.value.problems
    assert said in problem.message, problem.render()
    assert (problem.line, problem.column) == (line, column)


def test_many_bad_rows_end_after_some(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as raised:
        roster(tmp_path, "id,name,timezone\n" + "".join(f"p{n},P,Nowhere/Land\n" for n in range(3000)))
    assert len(raised.value.problems) == 51
    assert "are not read" in raised.value.problems[-1].message


def test_ten_thousand_people_in_two_schedules(tmp_path: Path) -> None:
    people = roster(
        tmp_path, "id,name,email,timezone\n" + "".join(f"p{n},P {n},p{n}@x.y,UTC\n" for n in range(10_000))
    )
    assert len(people) == 10_000 and people[-1].id == "p9999"


def test_one_person_may_be_named_twice_with_the_same_data(tmp_path: Path) -> None:
    rosters = "rosters:\n  a: [{id: x, name: X}, {id: y, name: Y}]\n  b: [{id: x, name: X}]\n"
    (tmp_path / "a.yaml").write_text(
        TOP + rosters + "schedules:\n" + entry("s", ", participants: [b, a, {id: y, name: Y}]")
    )
    assert [person.id for person in load([tmp_path]).schedules["s"].participants] == ["x", "y"]

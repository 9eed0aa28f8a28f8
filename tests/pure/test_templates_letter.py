"""A letter's templates: what they may name, that HTML is escaped, and what `check_letter` finds."""

from __future__ import annotations

import pytest

from jobs.letter import texts
from jobs.model import LETTER_NAMES, Wording
from scheduler.templates import TemplateError, Templates

SAID = {name: f"<{name}>" for name in LETTER_NAMES}
EVERY = " ".join(f"{{{{ {name} }}}}" for name in LETTER_NAMES)
LINK = "{{ link.url }}"


def broken(wording: Wording) -> dict[str, str]:
    return dict(Templates().check_letter(wording))


def test_a_letter_can_name_everything_it_is_told() -> None:
    assert Templates().letter(EVERY, SAID, False) == " ".join(SAID.values())
    assert Templates().letter(EVERY, SAID, True) == " ".join(f"&lt;{name}&gt;" for name in LETTER_NAMES)
    assert broken(Wording("{{ slot.day }}", EVERY, EVERY)) == {}


@pytest.mark.parametrize(
    "source",
    [
        "<b>{{ participant.name }}</b>",
        "<b>{% if participant.name %}{{ participant.name }}{% endif %}</b>",
        "<b>{{ participant.name | trim }}</b>",
        "<b>{{ '' ~ participant.name }}</b>",
        "<b>{{ participant.name if 1 else '' }}</b>",
        "<b>{{ participant.name | default('x') }}</b>",
    ],
)
def test_every_way_to_a_value_escapes_it_in_html_alone(source: str) -> None:
    said = {**SAID, "participant.name": "<\"'&>"}
    assert Templates().letter(source, said, True) == "<b>&lt;&#34;&#39;&amp;&gt;</b>"
    assert Templates().letter(source, said, False) == "<b><\"'&></b>"


def test_a_value_is_never_a_template() -> None:
    said = {**SAID, "participant.name": LINK}
    assert Templates().letter("{{ participant.name }}", said, False) == LINK


@pytest.mark.parametrize("part", ["subject", "text", "html"])
@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("{{ participant.email }}", "`participant.email` is not known"),
        ("{{ slot.dya }}", "did you mean `slot.day`?"),
        ("{{ oops", "unexpected"),
        ("{% for x in [1] %}{% endfor %}", "can't be used"),
        ("{{ link.url.__class__ }}", "not known"),
        ("x" * 20_000, "16384 characters"),
    ],
)
def test_what_is_broken_is_found_where_it_stands(part: str, source: str, hint: str) -> None:
    found = broken(Wording(**{part: source}))
    assert list(found) == [part]
    assert hint in found[part]


def test_a_letter_without_its_link_is_broken_and_a_subject_with_it() -> None:
    found = broken(Wording(f"Join {LINK}", "Hello", "<b>Hello</b>"))
    assert list(found) == ["subject", "text", "html"]
    assert "`link.url` is not known" in found["subject"]
    assert "nobody could join" in found["text"]
    assert broken(Wording()) == {}


def test_our_own_words_pass_the_check() -> None:
    assert broken(Wording(texts.SUBJECT, texts.TEXT, texts.HTML)) == {}


def test_what_is_not_told_can_not_be_rendered() -> None:
    for source in (LINK, f"{LINK}{{% if 1 %}}{{% endif %}}"):
        with pytest.raises(TemplateError):
            Templates().letter(source, {}, False)

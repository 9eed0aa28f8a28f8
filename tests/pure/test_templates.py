"""Templates: what renders, what is refused, and that a participant's name is only ever data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.model import ConversationRequest, Participant, Properties
from scheduler.templates import (
    MAX_OUTPUT_CHARS,
    MAX_SOURCE_CHARS,
    Context,
    SlotView,
    TemplateError,
    Templates,
)

ANA = Participant("ana", "Ana Ruiz", "ana@example.com", "America/New_York")
SLOT = SlotView("morning", "2026-12-01", "09:00")


def context(participant: Participant | None = ANA) -> Context:
    return Context("objection-handling", SLOT, participant)


def text(source: str, participant: Participant | None = ANA) -> str | None:
    request = ConversationRequest(conversational_context=source)
    return Templates().render(request, context(participant)).conversational_context


def broken(source: str, *, with_participant: bool = True) -> str:
    """The one complaint about `source`; empty when there is none."""
    request = ConversationRequest(conversational_context=source)
    found = Templates().check(request, with_participant=with_participant)
    assert [path for path, _ in found] in ([], ["conversational_context"])
    return found[0][1] if found else ""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("My name is {{ participant.name }}.", "My name is Ana Ruiz."),
        (
            "{{participant.id}} {{participant.email}} {{participant.timezone}}",
            "ana ana@example.com America/New_York",
        ),
        ("{{ slot.name }} {{ slot.date }} {{ slot.time }}", "morning 2026-12-01 09:00"),
        ("{{ schedule.name | upper | title }}", "Objection-Handling"),
        ("{% if slot.time < '12:00' %}Good morning{% else %}Hello{% endif %}", "Good morning"),
        ("{{ 'early' if slot.name in ['morning', 'dawn'] else 'late' }}", "early"),
        ("{{ participant.id ~ '/' ~ slot.date }}", "ana/2026-12-01"),
        ("a{# nobody reads this #}b", "ab"),
        ("{% raw %}{{ as it is }}{% endraw %}", "{{ as it is }}"),
        ('<b>&"{{ participant.name }}"\n', '<b>&"Ana Ruiz"\n'),
    ],
)
def test_what_a_text_may_do(source: str, expected: str) -> None:
    assert broken(source) == ""
    assert text(source) == expected


def test_what_a_person_does_not_have_is_empty() -> None:
    nobody = Participant("x", "X")
    assert (
        text("[{{ participant.email }}{{ participant.timezone | default('none', true) }}]", nobody)
        == "[none]"
    )


def test_every_text_of_a_request_is_rendered_and_the_rest_is_kept() -> None:
    name = "{{ participant.id }}"
    request = ConversationRequest(
        persona_id=name,
        conversation_name=name,
        participant_tags=("coach", name),
        max_participants=2,
        properties=Properties(
            max_call_duration=600, language=name, recording_storage={"bucket": name, "provider": "s3"}
        ),
    )
    assert Templates().render(request, context()) == ConversationRequest(
        persona_id="ana",
        conversation_name="ana",
        participant_tags=("coach", "ana"),
        max_participants=2,
        properties=Properties(
            max_call_duration=600, language="ana", recording_storage={"bucket": "ana", "provider": "s3"}
        ),
    )


def test_check_names_every_broken_field() -> None:
    request = ConversationRequest(
        conversation_name="{{ nobody }}",
        conversational_context="{{ participant.name }}",
        document_tags=("fine", "{{ oops"),
        properties=Properties(language="{% if %}", recording_storage={"bucket": "{{ 1 + 1 }}"}),
    )
    paths = [path for path, _ in Templates().check(request, with_participant=True)]
    assert paths == [
        "conversation_name",
        "document_tags.1",
        "properties.language",
        "properties.recording_storage.bucket",
    ]


def test_a_request_without_templates_stays_the_same_object() -> None:
    request = ConversationRequest(conversational_context="50 % of {people}, 1 # 2", participant_tags=("a",))
    assert Templates().texts(request, context()) == {}


def test_one_request_serves_many_people_and_many_requests_are_forgotten() -> None:
    templates = Templates()
    for number in range(3000):
        request = ConversationRequest(conversational_context=f"{number} {{{{ participant.name }}}}")
        for person in (ANA, Participant("ben", "Ben")):
            rendered = templates.render(request, context(person))
            assert rendered.conversational_context == f"{number} {person.name}"
    assert len(templates._held) <= 1024


@pytest.mark.parametrize(
    "source", ["{{ participant.name }}", "{% if false %}{{ participant.id }}{% endif %}"]
)
def test_without_participants_a_participant_is_an_error(source: str) -> None:
    assert "no participants" in broken(source, with_participant=False)
    with pytest.raises(TemplateError, match=r"conversation\.conversational_context: .*no participants"):
        text(source, None)
    assert broken("{{ slot.name }} {{ schedule.name }}", with_participant=False) == ""


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("{{ particpant.name }}", "did you mean `participant.name`?"),
        ("{{ slot.tme }}", "did you mean `slot.time`?"),
        ("{{ xyz }}", "there are participant.id"),
        ("{% if false %}{{ participant.nmae }}{% endif %}", "did you mean `participant.name`?"),
        ("one\ntwo {{ participant.name", "line 2"),
        ("{{ participant.name | shout }}", "upper, lower"),
        ("{{ 1 < 'a' }}", "not supported"),
    ],
)
def test_complaints_help(source: str, hint: str) -> None:
    assert hint in broken(source)


HOSTILE = [
    "{{ participant }}",
    "{{ participant.__class__ }}",
    "{{ participant.name.__class__.__mro__ }}",
    "{{ participant['name'] }}",
    "{{ participant.name.upper() }}",
    "{{ participant.name[0] }}",
    "{{ ''.__class__ }}",
    "{{ request }}",
    "{{ self }}",
    "{{ config }}",
    "{{ range(9) }}",
    "{{ lipsum() }}",
    "{{ cycler.__init__.__globals__.os.environ }}",
    "{% for i in [1, 2] %}x{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% call m() %}{% endcall %}",
    "{% include 'x' %}",
    "{% import 'x' as x %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% set a = 'x' %}{{ a }}",
    "{% with %}{% endwith %}",
    "{% filter upper %}x{% endfilter %}",
    "{{ 'x' * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 1 + 1 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'x' | center(1000000000) }}",
    "{{ 'x' | replace('x', 'xx') }}",
    "{{ 'x' | format(1) }}",
    "{{ 'x' | attr('__class__') }}",
    "{{ 'x' | upper(*participant.name) }}",
    "{{ 'x' | default(**slot.name) }}",
    "{{ {'a': 1} }}",
    "{{ 'x' is defined }}",
    "{{ participant" + ".a" * 5000 + " }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "not " * 4000 + "1 }}",
    "{{ " + "9" * 9000 + " }}",
    "{% if 1 %}" * 800 + "{% endif %}" * 500,
    "{{ 1 }}" + "x" * MAX_SOURCE_CHARS,
]


@pytest.mark.parametrize("source", HOSTILE, ids=lambda source: source[:40])
def test_hostile_templates_are_refused(source: str) -> None:
    assert broken(source)
    with pytest.raises(TemplateError, match=r"^conversation\.conversational_context: ."):
        text(source)


def test_the_deepest_that_is_let_through_compiles() -> None:
    for opened, closed in (
        ("{% if 1 %}", "{% endif %}"),
        ("(1 if 1 else ", ")"),
        ("('a' ~ ", ")"),
        ("[", "]"),
    ):
        inner = (opened * 9, closed * 9)
        source = "{}x{}" if "%" in opened else "{{{{ {}1{} }}}}"
        assert broken(source.format(*inner)) == ""
        assert "too deep" in broken(source.format(opened * 60, closed * 60))


def test_a_thousand_branches_end_in_a_text_or_a_clear_no() -> None:
    source = "{% if slot.name == 'a' %}1" + "{% elif 1 %}" * 1200 + "{% endif %}"
    assert broken(source) in ("", "too long or too deep to be a template")


def test_a_text_that_grows_too_long_is_refused() -> None:
    long = Participant("x", "n" * (MAX_OUTPUT_CHARS // 2 + 1))
    with pytest.raises(TemplateError, match="longer than"):
        text("{{ participant.name }}{{ participant.name }}", long)


@given(name=st.text() | st.sampled_from(HOSTILE) | st.text("{}%#'\"\\\n", max_size=20))
def test_a_name_is_inserted_as_it_is(name: str) -> None:
    person = Participant("x", name)
    assert text("<{{ participant.name }}>", person) == f"<{name}>"
    assert text("{{ participant.name }}{{ participant.name }}", person) == name + name


@given(
    source=st.lists(
        st.sampled_from(["{{", "}}", "{%", "%}", "if ", "endif", "slot", ".", "name", "|", "'", "(", "1"])
    )
)
def test_whatever_passes_the_check_renders(source: list[str]) -> None:
    joined = " ".join(source)
    if not broken(joined):
        assert isinstance(text(joined), str)

"""The door of the room: checks and renders the texts of requests and of letters.

Decides which language a text is written in and says which field is broken; what may be written at all is
`language`'s, and what a letter says when nobody overrides it is `jobs.letter`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jobs.model import LETTER_NAMES, ConversationRequest, Wording
from scheduler.templates.language import CACHED, Language, TemplateError
from scheduler.templates.requests import FIELDS, NAMES, SAMPLE, Context, changes, values

LINK = "link.url"
"""What a letter is for; a subject is shown on locked screens and kept in logs, so it has none."""

_PERSONAL = frozenset(name for name in NAMES if name.startswith("participant."))
_SUBJECT_NAMES = tuple(name for name in LETTER_NAMES if name != LINK)


class Templates:
    """Checks and renders texts. Remembers what it compiled last, and nothing else."""

    def __init__(self) -> None:
        self._requests = Language(NAMES)
        self._subjects = Language(_SUBJECT_NAMES)
        self._letters = {html: Language(LETTER_NAMES, html=html) for html in (False, True)}
        self._held: dict[int, tuple[ConversationRequest, tuple[str, ...]]] = {}

    def check(self, request: ConversationRequest, *, with_participant: bool) -> tuple[tuple[str, str], ...]:
        """(field path, message) for every text that is broken, in the order of the fields.

        Paths are dotted, as in `participant_tags.0` or `properties.language`. Broken is: bad syntax,
        an unknown name, a forbidden construct, `participant.*` where there is none (S1), too long.
        """
        sample = values(SAMPLE if with_participant else replace(SAMPLE, participant=None))
        broken: list[tuple[str, str]] = []

        def attempt(path: str, source: str) -> str:
            try:
                self._text(source, sample)
            except TemplateError as error:
                broken.append((path, str(error)))
            return source

        changes(request, FIELDS, "", attempt)
        return tuple(broken)

    def render(self, request: ConversationRequest, context: Context) -> ConversationRequest:
        """The request with every text rendered. Raises TemplateError, naming the field."""
        return replace(request, **self.texts(request, context))

    def texts(self, request: ConversationRequest, context: Context) -> dict[str, Any]:
        """The fields of the request that are different once their texts are rendered.

        Raises TemplateError, naming the field.
        """
        said = values(context)

        def text(path: str, source: str) -> str:
            try:
                return self._text(source, said)
            except TemplateError as error:
                raise TemplateError(f"conversation.{path}: {error}") from None

        return changes(request, self._templated(request), "", text)

    def letter(self, template: str, said: Mapping[str, str], html: bool) -> str:
        """A letter's text; `said` has a text for each of LETTER_NAMES, escaped when `html`.

        Raises TemplateError.
        """
        return self._letters[html].text(template, {name.replace(".", "_"): said[name] for name in said})

    def check_letter(self, wording: Wording) -> tuple[tuple[str, str], ...]:
        """(`subject`, `text` or `html`, message) for each of a schedule's own words that is broken.

        Broken is what is broken in a request, a text or HTML without the link, and a subject with it.
        """
        found = (
            ("subject", wording.subject, self._subjects),
            ("text", wording.text, self._letters[False]),
            ("html", wording.html, self._letters[True]),
        )
        return tuple(
            (path, problem)
            for path, source, language in found
            if source is not None
            for problem in _problems(path, source, language)
        )

    def _text(self, source: str, said: Mapping[str, str]) -> str:
        if "participant_id" not in said and not self._requests.used(source).isdisjoint(_PERSONAL):
            raise TemplateError("participant.* can't be used: the schedule has no participants")
        return self._requests.text(source, said)

    def _templated(self, request: ConversationRequest) -> tuple[str, ...]:
        """The fields that hold a template; remembered, since one request serves a whole roster."""
        held = self._held.get(id(request))
        if held is not None:  # it is this very request: what is held keeps its id
            return held[1]
        names: dict[str, None] = {}

        def note(path: str, source: str) -> str:
            names[path.partition(".")[0]] = None
            return source

        changes(request, FIELDS, "", note)
        if len(self._held) >= CACHED:
            self._held.pop(next(iter(self._held)))
        self._held[id(request)] = request, tuple(names)
        return tuple(names)


def _problems(path: str, source: str, language: Language) -> Iterator[str]:
    try:
        used = language.used(source)
        language.text(source, {name.replace(".", "_"): "sample" for name in LETTER_NAMES})
    except TemplateError as error:
        yield str(error)
        return
    if path != "subject" and LINK not in used:
        yield f"without {{{{ {LINK} }}}} nobody could join: write it where the link belongs"

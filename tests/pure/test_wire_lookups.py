"""Persona and replica look-ups, in every documented shape."""

from __future__ import annotations

import json

import pytest

from jobs.model import NotThere
from jobs.tavus.wire import Answer, Persona, Replica, facts


@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: {"data": [row]}])
def test_look_ups_flat_or_wrapped_in_either_spelling(wrap: object) -> None:
    def persona(row: object) -> object:
        return facts.persona(Answer(200, json.dumps(wrap(row)).encode()), "p1")  # type: ignore[operator]

    def replica(row: object) -> object:
        return facts.replica(Answer(200, json.dumps(wrap(row)).encode()), "r1")  # type: ignore[operator]

    assert persona({"persona_name": "Coach", "default_replica_id": "r1"}) == Persona("p1", "Coach", "r1")
    assert persona({"pal_name": "Coach", "default_face_id": None}) == Persona("p1", "Coach", None)
    assert replica({"replica_name": "Nathan", "status": "completed"}) == Replica("r1", "Nathan", "completed")
    assert replica({"face_name": "Nathan"}) == Replica("r1", "Nathan", "")


def test_look_ups_of_what_is_not_there() -> None:
    assert facts.persona(Answer(400, b'{"error": "Invalid persona_id"}'), "p") == NotThere()
    assert facts.replica(Answer(400, b'{"message": "Invalid face_id"}'), "r") == NotThere()

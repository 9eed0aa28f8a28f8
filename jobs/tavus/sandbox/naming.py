"""Which persona and replica a create request means, and under which of their two names each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.tavus.sandbox.answers import refused
from jobs.tavus.sandbox.stock import Persona, Replica


def resolve(
    body: Mapping[str, Any], personas: Mapping[str, Persona], replicas: Mapping[str, Replica]
) -> dict[str, str | None]:
    """The two ids under the names that the request used; the replica may be the persona's default one.

    Raises `Refused` (400) for an id that is unknown, and for a replica that isn't usable or isn't there.
    """
    newer = "pal_id" in body or ("face_id" in body and "persona_id" not in body)
    persona_key = "pal_id" if newer else "persona_id"
    replica_key = "face_id" if "face_id" in body or (newer and "replica_id" not in body) else "replica_id"
    persona_id = body.get(persona_key)
    if persona_id is not None and persona_id not in personas:
        raise refused(400, error="Invalid persona_id")
    default = None if persona_id is None else personas[persona_id].default_replica_id
    replica_id = body.get(replica_key, default)
    if replica_id not in replicas or replicas[replica_id].status != "completed":
        raise refused(400, error="Invalid replica_id")
    return {persona_key: persona_id, replica_key: replica_id}

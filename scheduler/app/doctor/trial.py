"""The request of a trial: a room that no coach joins and nobody pays for.

`test_mode` is what makes it free, so it is written here once and for all; whatever else a schedule asks for
(a meeting to join, a webhook to call, a long call) is left out.
"""

from __future__ import annotations

from jobs.model import ConversationRequest, Properties
from scheduler.model import Config

NAME = "callboard doctor: a free test"
AS_SHORT_AS_CAN_BE = Properties(
    max_call_duration=60, participant_left_timeout=10, participant_absent_timeout=30
)


def request_for_a_trial(config: Config) -> ConversationRequest | None:
    """A free conversation with the first persona and replica that are no templates; None without any."""
    for schedule in config.schedules.values():
        ids = (schedule.request.persona_id, schedule.request.replica_id)
        if any(ids) and not any("{" in each for each in ids if each):
            return ConversationRequest(
                persona_id=ids[0],
                replica_id=ids[1],
                conversation_name=NAME,
                test_mode=True,
                properties=AS_SHORT_AS_CAN_BE,
            )
    return None

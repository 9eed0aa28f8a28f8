"""What goes over the wire to Tavus and what comes back, as plain values. Pure.

`calls` says what is asked (method, path, body), `answer` holds what was answered and why it is a
failure (S14), `facts` reads an answer as one of `jobs.model`'s values, `fields` reads single
hostile values. Whatever an answer holds, these functions return a value or raise `StepFailed`,
and nothing else. No socket, no clock, no retry, no key: those are the transport's and the
scheduler's.
"""

from jobs.tavus.wire.answer import Answer
from jobs.tavus.wire.calls import Call, Ids
from jobs.tavus.wire.facts import Persona, Replica

__all__ = ["Answer", "Call", "Ids", "Persona", "Replica"]

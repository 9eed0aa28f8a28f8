"""One occurrence forward: decide, act, record; and a Survey of the list for all of them.

`Runner` carries out what the daemon starts; `Terms` renders what was agreed, `Letters` freezes what is handed
over; `Survey` reads the list.
When something is due, and how much at once, is decided above.
"""

from scheduler.runner.grant import Grant
from scheduler.runner.letters import Compose, Letters
from scheduler.runner.places import place
from scheduler.runner.runner import Perform, Runner
from scheduler.runner.survey import Survey
from scheduler.runner.terms import Terms

__all__ = ["Compose", "Grant", "Letters", "Perform", "Runner", "Survey", "Terms", "place"]

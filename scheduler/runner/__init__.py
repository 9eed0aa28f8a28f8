"""One occurrence forward: decide, act, record; and a Survey of the list for all of them.

`Runner` carries out what the daemon starts; `Terms` renders what was agreed; `Survey` reads the list.
When something is due, and how much at once, is decided above.
"""

from scheduler.runner.grant import Grant
from scheduler.runner.runner import Perform, Runner, place
from scheduler.runner.survey import Survey
from scheduler.runner.terms import Terms

__all__ = ["Grant", "Perform", "Runner", "Survey", "Terms", "place"]

"""How much may go out now: the account's request rate and the line for its conversations (S17, S18).

`Limits` puts the window, the penalty and the line together; nobody waits in here.
"""

from scheduler.limits.limits import Admission, Lane, Limits
from scheduler.limits.penalty import LONGEST_RETRY_AFTER_S

__all__ = ["LONGEST_RETRY_AFTER_S", "Admission", "Lane", "Limits"]

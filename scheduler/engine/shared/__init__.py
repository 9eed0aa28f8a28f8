"""The engine of several processes on one ledger: one leads and decides, all of them carry out.

`member` keeps this process on the list of workers and finds out who leads; `handing` is the leader's half,
which puts what a turn has decided as jobs; `working` is every worker's, which takes and carries them out;
`told` is what a worker says of its requests to the limits, which are the leader's. The queue is rows of the
ledger: it never decides when, and what it loses the ledger finds.
"""

from scheduler.engine.shared.crew import SharedCrew
from scheduler.engine.shared.member import Member, Name

__all__ = ["Member", "Name", "SharedCrew"]

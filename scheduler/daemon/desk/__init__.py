"""The desk at work: what people ask of a house is judged, written and told, one verb at a time.

`StandingDesk` answers; `means` is what it needs, which a ledger alone can give where no daemon runs. What is
asked becomes facts in the ledger; nothing is done outside from here, only the bell is rung.
"""

from scheduler.daemon.desk.desk import StandingDesk
from scheduler.daemon.desk.means import Means

__all__ = ["Means", "StandingDesk"]

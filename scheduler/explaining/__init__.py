"""Why one promise was kept, was late, was not kept, or will (not) be: a chain of links, each with a verdict.

Schedule, zone, calendar, pause, capacity, POST, delivery, outcome: what the configuration says of a key comes
first (`planned`), what the ledger was told of it after that (`told`), and where time was lost stands with the
link that lost it (`timeline`). `dates` answers for a person or a schedule on a date, also where nothing was
promised. All that is known is an argument: nothing is read here, nothing decided, and no join link is seen.
"""

from scheduler.explaining.chain import explain
from scheduler.explaining.dates import Absence, keys_on, nothing_on
from scheduler.explaining.values import Explanation, Known, Link, Part, Verdict

__all__ = ["Absence", "Explanation", "Known", "Link", "Part", "Verdict", "explain", "keys_on", "nothing_on"]

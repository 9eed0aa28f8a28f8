"""The doctor: is everything there that the house needs, and what puts right what isn't?

`examination` runs the checks side by side and tells their findings in order; the checks stand by what they
look at. They read, resolve and ask; nothing is written anywhere, and nothing made but, when that is asked
for, one free conversation in `test_mode`.
"""

from scheduler.app.doctor.examination import Case, examine
from scheduler.app.doctor.finding import Finding, Verdict

__all__ = ["Case", "Finding", "Verdict", "examine"]

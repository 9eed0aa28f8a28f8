"""The pages: values in, HTML out.

`environment` renders templates; `today`, `curve`, `story`, `trouble` and `roster` make of records, slots and
schedules what their templates show; `times` and `words` say it. Nothing here reads a ledger, a clock or a
request, and nothing acts.
"""

from scheduler.web.pages.environment import Pages, occurrence_url, person_url

__all__ = ["Pages", "occurrence_url", "person_url"]

"""What happens, as numbers: facts, requests and waits are counted, and the house is read when it is asked.

`Metrics` is told by listeners (the same commits that make log lines) and writes Prometheus' text. Its
registry is its own. Schedules are named; no person, key, address or link ever is.
"""

from scheduler.metrics.metrics import CONTENT_TYPE, Build, Metrics

__all__ = ["CONTENT_TYPE", "Build", "Metrics"]

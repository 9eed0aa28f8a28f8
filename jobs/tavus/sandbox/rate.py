"""The plan's rate limit: an exact sliding window over accepted requests. It waits for nothing and tells
nobody.
"""

from __future__ import annotations

from collections import deque

from jobs.model import Instant


class Window:
    """At most `requests` grants in any `per_s` seconds; no limit when `requests` is None."""

    def __init__(self, requests: int | None, per_s: float) -> None:
        self._requests = requests
        self._per_s = per_s
        self._granted: deque[Instant] = deque()

    def grants(self, now: Instant) -> bool:
        """Whether a request at `now` is accepted; if so it counts. Refused ones do not count."""
        if self._requests is None:
            return True
        while self._granted and self._granted[0] <= now - self._per_s:
            self._granted.popleft()
        if len(self._granted) >= self._requests:
            return False
        self._granted.append(now)
        return True

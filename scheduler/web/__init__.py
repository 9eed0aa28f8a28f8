"""HTTP in the daemon's own loop: who is let in, how much of their time they may take, and what they find.

`server` is the door, `guards` stand beside it, `health` and `numbers` are what machines ask for, `site` is
what people find: pages, and what they can ask from there. Whatever a route answers it must not slow a turn:
the ledger is read in a thread, and never waited for in the loop.
"""

from scheduler.web.guards import application
from scheduler.web.health import Health, health_routes
from scheduler.web.numbers import Numbers, numbers_routes
from scheduler.web.routes import House
from scheduler.web.server import ListenError, serving
from scheduler.web.site import add_pages

__all__ = [
    "Health",
    "House",
    "ListenError",
    "Numbers",
    "add_pages",
    "application",
    "health_routes",
    "numbers_routes",
    "serving",
]

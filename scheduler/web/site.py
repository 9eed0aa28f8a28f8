"""All that a browser finds, put together: pages, assets, the way in, actions, and events."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from scheduler.desk import Desk
from scheduler.settings import Secret
from scheduler.web.actions import action_routes
from scheduler.web.entrance import entrance_routes
from scheduler.web.events import Changes, watching
from scheduler.web.routes import House, Site
from scheduler.web.sessions import Sessions
from scheduler.web.visitors import Visitors


def add_pages(
    app: web.Application, house: House, desk: Desk, token: Secret | None, wrong: Callable[[int], None]
) -> Changes:
    """Give the application its pages; what is returned is rung when something has happened.

    Without a token nobody can sign in, and so nobody can act. `wrong` is told of each wrong token, with how
    many there were so far.
    """
    sessions = None if token is None else Sessions(token, house.clock, wrong)
    changes = Changes()
    site = Site(house, Visitors(sessions), changes)
    app.middlewares.insert(0, site.manners)
    app.add_routes(site.routes())
    app.add_routes(entrance_routes(site, sessions))
    app.add_routes(action_routes(site, desk))
    app.add_routes([watching(changes, house.clock, site.visitors.may_read)])

    async def over(_: web.Application) -> None:
        changes.close()

    app.on_shutdown.append(over)
    return changes

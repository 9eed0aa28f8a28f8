"""The house's face: what others see of it while it runs, if the configuration wants it seen.

Pages, health and numbers over HTTP, and the heartbeat. It only puts parts together: whatever is answered is
`scheduler.web`'s, and the house does its work the same whether anybody looks or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from scheduler.app.heartbeat import Heartbeat, heartbeat_url
from scheduler.app.observing import LoopWatch
from scheduler.clock import Clock
from scheduler.daemon import Daemon
from scheduler.desk import Desk
from scheduler.ledger import Place
from scheduler.ledger.snapshot import Snapshot
from scheduler.metrics import Metrics
from scheduler.model import SecretRef, Service
from scheduler.settings import Redaction, Secret, SettingsError, read_secret
from scheduler.telemetry import Telemetry
from scheduler.vitals import Reload
from scheduler.web import (
    Health,
    House,
    Numbers,
    add_pages,
    application,
    health_routes,
    numbers_routes,
    serving,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What a face is made of."""

    daemon: Daemon
    ledger: Place
    metrics: Metrics
    clock: Clock
    telemetry: Telemetry
    redaction: Redaction
    reload: Callable[[], Reload]
    desk: Desk


@asynccontextmanager
async def facing(face: Face, service: Service, *, beating: bool) -> AsyncIterator[str | None]:
    """Serve, and beat, as the configuration says; yields the URL at which it is served, if it is.

    Raises SettingsError for a secret that can't be read, ListenError for an address that can't be used.
    """
    if service.heartbeat is not None and beating:
        url = heartbeat_url(service.heartbeat)
        face.redaction.learn([url])
        beat = Heartbeat(url, face.daemon, face.metrics, face.clock, face.telemetry)
        face.daemon.each_tick(beat.tick)
    token = None if service.admin_token is None else _token(service.admin_token, face)
    if service.listen is None:
        yield None
        return
    await _remember(face)
    with LoopWatch(face.metrics):
        async with serving(_application(face, token), service.listen) as base_url:
            yield base_url


def _application(face: Face, token: Secret | None) -> web.Application:
    def faulty(detail: str) -> None:
        face.telemetry.say("faulted", grave=True, step="page", detail=detail)

    checkup = face.daemon.checkup
    app = application(faulty, local=token is None)
    numbers = Numbers(face.metrics, face.ledger, face.clock, checkup.vitals, face.reload)
    app.add_routes(health_routes(Health(checkup.vitals, checkup.writable, numbers.standing)))
    app.add_routes(numbers_routes(numbers))
    _show_pages(app, face, token)
    return app


def _show_pages(app: web.Application, face: Face, token: Secret | None) -> None:
    """Pages, which are told of each commit, here or elsewhere, and of each tick: time goes on, too."""

    def wrong(times: int) -> None:
        face.metrics.sign_in_refused()
        face.telemetry.say("sign_in_refused", grave=True, times=times)

    daemon = face.daemon
    house = House(
        ledger=face.ledger,
        clock=face.clock,
        config=lambda: daemon.config,
        vitals=daemon.checkup.vitals,
        reload=face.reload,
    )
    changes = add_pages(app, house, face.desk, token, wrong)
    daemon.ledger.listen(lambda _: changes.ring(), lambda _: changes.ring())
    daemon.engine.listen(changes.ring)
    daemon.each_tick(changes.ring)


def _token(ref: SecretRef, face: Face) -> Secret:
    try:
        token = read_secret(ref.source, ref.name)
    except SettingsError as error:
        raise SettingsError(f"service.admin_token: {error}") from None
    face.redaction.learn([token])
    if token.warning:
        face.telemetry.say("secret_exposed", grave=True, detail=token.warning)
    return token


async def _remember(face: Face) -> None:
    """What was handed over before this start, so that the time of the last success doesn't begin anew."""

    def delivered() -> dict[str, float]:
        with Snapshot.open(face.ledger) as snapshot:
            return snapshot.delivered()

    for schedule, at in (await asyncio.to_thread(delivered)).items():
        face.metrics.succeeded(schedule, at)

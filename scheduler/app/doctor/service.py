"""The service: can it be reached, does it take our key, what time is it there, does it know our personas?

One request tells the first three; the others wait until it has come back. Nothing is created here but,
when that is asked for, one conversation in `test_mode`, which bills nothing and holds no slot.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from jobs.errors import Reason, StepFailed
from jobs.model import Created, Ended, Instant, Page, Survey
from jobs.tavus.client import TavusClient, connect
from scheduler.app.doctor.finding import Finding, failed, ok, skipped, warning
from scheduler.app.doctor.trial import request_for_a_trial
from scheduler.app.online import Asking, look_up
from scheduler.clock import Clock
from scheduler.limits import Lane
from scheduler.model import Config
from scheduler.settings import SettingsError, read_secret

URL, ACCEPTED, CLOCK, KNOWN, TRIAL = "base URL", "key accepted", "clock", "personas", "test conversation"
SKEW_WARNED_S, SKEW_S = 5.0, 60.0
"""Slots are kept by our clock; with more than the second, people notice."""
ONE_CALL_S = 15.0
"""A doctor's patience with one request."""

_NOT_IN = "since the service didn't let us in"
_KEY = "make a new key on the account's page, and put it where the line `API key` says"
_SYNC = "let the system keep its clock by NTP: timedatectl set-ntp true"
_WAY = "look at account.base_url, this machine's DNS and its way out; proxies are not used"


class Service:
    """The account's API, asked within its rate; `examine` first, the others build on it."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._asking = Asking(config.account.requests, clock)
        self.accepted = False

    async def examine(self) -> Sequence[Finding]:
        """Base URL, key, clock."""
        try:
            async with self._client() as tavus:
                return await self._first(tavus)
        except SettingsError:
            return (skipped(URL, "not asked: there is no key"),)
        except ValueError as error:
            return (failed(URL, str(error), "look at account.base_url"),)

    async def known(self) -> Sequence[Finding]:
        """Each persona and replica once, as `check --online` asks."""
        if not self.accepted:
            return (skipped(KNOWN, f"not asked, {_NOT_IN}"),)
        async with self._client() as tavus:
            problems, asked = await look_up(tavus, self._asking, self._config)
        told = [
            (failed if each.severity == "error" else warning)(KNOWN, each.message, f"look at {each.file}")
            for each in problems
        ]
        return told or (ok(KNOWN, f"all {asked} personas and replicas are known and can be used"),)

    async def trial(self) -> Sequence[Finding]:
        """Make one free conversation, and see that it is over and bills nothing."""
        request = request_for_a_trial(self._config)
        if not self.accepted:
            return (skipped(TRIAL, f"not made, {_NOT_IN}"),)
        if request is None:
            return (skipped(TRIAL, "not made: no schedule names a persona or replica as it is"),)
        async with self._client() as tavus:
            try:
                made = await self._asking.ask(Lane.CREATE, lambda sent: tavus.create(request, sent))
            except StepFailed as error:
                maybe = (
                    "; if one was made, it is in test_mode and free" if error.reason is Reason.LOST else ""
                )
                return (failed(TRIAL, f"{error.detail}{maybe}", "look at the schedule's `conversation`"),)
            return (await self._judged(tavus, made),)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[TavusClient]:
        account = self._config.account
        key = read_secret(account.api_key.source, account.api_key.name)
        async with connect(account.base_url, key.reveal(), account.ids, total_s=ONE_CALL_S) as tavus:
            yield tavus

    async def _first(self, tavus: TavusClient) -> Sequence[Finding]:
        url = self._config.account.base_url
        began = self._clock.now()
        try:
            page = await self._asking.ask(
                Lane.SURVEY, lambda sent: tavus.survey(Survey("active", 1, 1), sent)
            )
        except StepFailed as error:
            return _refused(url, error, self._asking.left)
        self.accepted = True
        now = self._clock.now()
        answered = ok(URL, f"{url} answers, in {now - began:.1f} s")
        return answered, ok(ACCEPTED, _running(page)), _skew(page, (began + now) / 2)

    async def _judged(self, tavus: TavusClient, made: Created) -> Finding:
        id_ = made.conversation_id
        try:
            state = await self._asking.ask(Lane.INSPECT, lambda sent: tavus.inspect(id_, sent))
            if made.ended or isinstance(state, Ended):
                return ok(TRIAL, f"made {id_} in test_mode; it is over already, and bills nothing")
            await self._asking.ask(Lane.END, lambda sent: tavus.end(id_, sent))
        except StepFailed as error:
            said = f"made {id_} in test_mode, and then: {error.detail}"
            return failed(TRIAL, said, "look on the account's page whether it runs, and end it there")
        said = f"made {id_} in test_mode, but the service ran it; ended at once"
        return failed(TRIAL, said, "ask the service what test_mode costs")


def _running(page: Page) -> str:
    count = len(page.rows) if page.total is None else page.total
    return f"the account has {count} running conversation{'' if count == 1 else 's'}, ours and others'"


def _refused(url: str, error: StepFailed, left: bool) -> Sequence[Finding]:
    """What a failure of the first request says about the way, the address and the key."""
    if not left:
        return (failed(URL, f"{url}: {error.detail}", _WAY),)
    match error.reason:
        case Reason.DENIED:
            return ok(URL, f"{url} answers"), failed(ACCEPTED, error.detail, _KEY)
        case Reason.SPENT:
            fix = "buy credits on the account's page"
            return ok(URL, f"{url} answers"), failed(ACCEPTED, error.detail, fix)
        case Reason.BUSY | Reason.FULL:
            return (warning(URL, f"{url}: {error.detail}", "try again in a minute"),)
        case Reason.LOST:
            fix = "is this the API's address? If so, the service has trouble: try again later"
            return (failed(URL, f"{url}: {error.detail}", fix),)
        case Reason.REFUSED:
            return (failed(URL, f"{url}: {error.detail}", "look at account.base_url: this is not the API"),)


def _skew(page: Page, asked_at: Instant) -> Finding:
    if page.answered_at is None:
        return skipped(CLOCK, "the service's answers carry no Date")
    # The header is cut to whole seconds.
    skew_s = asked_at - (page.answered_at + 0.5)
    if abs(skew_s) < SKEW_WARNED_S:
        return ok(CLOCK, "it agrees with the service's")
    said = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} the service's"
    return (warning if abs(skew_s) < SKEW_S else failed)(CLOCK, said, _SYNC)

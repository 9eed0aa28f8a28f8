"""Reaching the house: a wish goes to the daemon by its control socket, or where none runs to the ledger.

One request for each command, over plain HTTP on a Unix socket. What can't be reached is told with what to do;
nothing is asked twice by itself, though whoever does it does no harm.
"""

from __future__ import annotations

import http.client
import json
import os
import pwd
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.cli.paths import chosen, loaded
from scheduler.cli.places import meant, refused
from scheduler.cli.shown import Refusal

if TYPE_CHECKING:
    from scheduler.desk import Answer, Status
    from scheduler.desk.wishes import Wish
    from scheduler.ledger import Place

REFUSED, TRY_LATER, BAD_CONFIG = 1, 75, 78
ANSWER_S = 15.0
RELOAD_S = 120.0
"""A reload reads the files and looks at the mail server before it answers."""


class NobodyThere(Exception):
    """No daemon answers at the socket of this ledger."""


def user() -> str:
    """Who asks, as the system knows them."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def ledger_at(ledger: Place | None, files: Sequence[Path]) -> Place:
    """The ledger that was typed, else the environment's, else the one that the files name, right or wrong."""
    from scheduler.config.whereabouts import ledger_of

    def usual() -> str:
        found = ledger_of(chosen(files))
        if found is None:
            raise Refusal("no configuration can be read there; name the ledger with --ledger")
        return found

    return meant(ledger, usual)


def ask_daemon(ledger: Place, wish: Wish) -> Answer:
    """What the daemon answers. Raises NobodyThere, and Refusal with what it says against it."""
    from scheduler.desk.wishes import ANSWER, ToReload, verb_of, written

    within_s = RELOAD_S if isinstance(wish, ToReload) else ANSWER_S
    answered = _exchange(ledger, "POST", verb_of(wish), written(wish), within_s)
    return ANSWER.validate_json(answered)


def ask(ledger: Place, files: Sequence[Path], wish: Wish) -> Answer:
    """The same; where no daemon runs, what the ledger alone allows."""
    try:
        return ask_daemon(ledger, wish)
    except NobodyThere:
        return _ask_ledger(ledger, files, wish)


def ask_workers(ledger: Place, files: Sequence[Path], wish: Wish) -> Answer:
    """For what a daemon has to do: where none runs on this machine, a ledger in a database may have workers
    on others, who look when it was written."""
    from scheduler import app
    from scheduler.desk.wishes import ToReload

    try:
        return ask_daemon(ledger, wish)
    except NobodyThere:
        with refused():
            names = ", ".join(app.workers(ledger))
    if not names:
        raise Refusal(f"no daemon runs on {ledger}; `callboard run` starts one, and this needs it")
    if isinstance(wish, ToReload):
        raise Refusal(
            f"no daemon runs on this machine; each reads files of its own, so ask where it is: {names}"
        )
    return _ask_ledger(ledger, files, wish)


def _ask_ledger(ledger: Place, files: Sequence[Path], wish: Wish) -> Answer:
    from scheduler import app
    from scheduler.desk import Refused
    from scheduler.ledger import LedgerError, LedgerHeld

    config = loaded(files)
    try:
        return app.ask_ledger(wish, config, ledger)
    except Refused as told:
        raise _refusal(str(told), told.details) from None
    except LedgerHeld as held:
        raise Refusal(f"{held}; its control socket does not answer", TRY_LATER) from None
    except LedgerError as error:
        raise Refusal(str(error)) from None


def status_of(ledger: Place) -> Status:
    """How the daemon says the house stands. Raises NobodyThere, and Refusal."""
    from scheduler.desk.wishes import STATUS

    return STATUS.validate_json(_exchange(ledger, "GET", "status", None, ANSWER_S))


class _Door(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: Path, within_s: float) -> None:
        super().__init__("localhost", timeout=within_s)
        self._path = path

    def connect(self) -> None:
        """Reach the socket's file instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(self._path))


def _exchange(ledger: Place, method: str, verb: str, body: bytes | None, within_s: float) -> bytes:
    from scheduler.ledger import LedgerError
    from scheduler.ledger.files import control_socket

    try:
        door = _Door(control_socket(ledger), within_s)
        door.connect()
    except (FileNotFoundError, ConnectionRefusedError, LedgerError):
        raise NobodyThere from None
    except OSError as error:
        raise Refusal(f"the daemon can't be reached: {error.strerror or error}") from None
    try:
        door.request(method, f"/{verb}", body, {"Content-Type": "application/json"})
        response = door.getresponse()
        return _read(response.status, response.read())
    except TimeoutError:
        raise Refusal(f"no answer within {within_s:.0f} s; asked again it does no harm", TRY_LATER) from None
    except (OSError, http.client.HTTPException):
        raise Refusal("the daemon left before it answered; asked again it does no harm", TRY_LATER) from None
    finally:
        door.close()


def _read(status: int, body: bytes) -> bytes:
    if status == http.client.OK:
        return body
    if status == http.client.CONFLICT:
        told = json.loads(body)
        raise _refusal(told["refused"], told["details"])
    if status == http.client.SERVICE_UNAVAILABLE:
        raise Refusal(json.loads(body)["unavailable"], TRY_LATER)
    if status == http.client.INTERNAL_SERVER_ERROR:
        raise Refusal("the daemon failed at this; its log says where (event=faulted)")
    raise Refusal(f"the daemon does not understand this ({status}); is it of another version?")


def _refusal(message: str, details: Sequence[str]) -> Refusal:
    """Details are the errors of a configuration."""
    code = BAD_CONFIG if details else REFUSED
    return Refusal("\n".join([message, *(f"  {line}" for line in details)]), code)

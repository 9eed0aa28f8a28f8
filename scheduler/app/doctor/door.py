"""The page's door: can `service.listen` be listened on?

It is tried for a moment and let go again. Where it is in use, who listens there is asked how it is: a
callboard is told from others by its answer.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence

import aiohttp

from scheduler.app.doctor.finding import Finding, failed, ok, skipped, warning
from scheduler.model import Config, Listen

PORT = "port"
ANSWER_S = 2.0
_FIXES = {
    errno.EACCES: "write a port above 1023",
    errno.EADDRNOTAVAIL: "write 127.0.0.1, or an address that this machine has",
}


async def port(config: Config) -> Sequence[Finding]:
    """Is it free, and may this user have it?"""
    listen = config.service.listen
    if listen is None:
        return (skipped(PORT, "nothing is served"),)
    at = f"{listen.host} port {listen.port}"
    try:
        door = await asyncio.get_running_loop().create_server(asyncio.Protocol, listen.host, listen.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return (await _taken(at, listen),)
        return (_refused(at, error),)
    door.close()
    return (ok(PORT, f"{at} is free"),)


async def _taken(at: str, listen: Listen) -> Finding:
    if await _is_callboard(listen):
        return ok(PORT, f"a callboard listens on {at}")
    return warning(PORT, f"{at} is in use by another program", "end that, or write another port")


async def _is_callboard(listen: Listen) -> bool:
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_S)) as session,
            session.get(f"http://{host}:{listen.port}/readyz", headers={"Host": "localhost"}) as answer,
        ):
            told = await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
    return isinstance(told, dict) and told.keys() == {"ready", "reasons"}


def _refused(at: str, error: OSError) -> Finding:
    said = f"{at} can't be listened on: {error.strerror or error}"
    return failed(PORT, said, _FIXES.get(error.errno or 0, "look at service.listen"))

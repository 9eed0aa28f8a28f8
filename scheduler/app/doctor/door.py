"""The page's door: can `service.listen` be listened on?

It is tried for a moment and let go again. That it is in use is no failure: the daemon itself may be at work.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence

from scheduler.app.doctor.finding import Finding, failed, ok, skipped, warning
from scheduler.model import Config

PORT = "port"
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
        return (_refused(at, error),)
    door.close()
    return (ok(PORT, f"{at} is free"),)


def _refused(at: str, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        return warning(PORT, f"{at} is in use", "if that isn't the daemon, end it or write another port")
    said = f"{at} can't be listened on: {error.strerror or error}"
    return failed(PORT, said, _FIXES.get(error.errno or 0, "look at service.listen"))

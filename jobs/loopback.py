"""Which hosts are this machine's own, by what is written: what may be done in clear to them, and to no other.

Nothing is looked up, so that a name server has no say in it.
"""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether this name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"

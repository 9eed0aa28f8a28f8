"""Mail: a letter is handed to a mail server, or written to a directory, once.

What stands in a letter is decided elsewhere: its bytes arrive frozen (S27) and leave as they are, to one
recipient. Connections are few, reused for a burst and closed when nobody needs them; how a server's answer
is understood stands in one pure file (S29). It knows no retries, no lifetimes, and no schedule.
"""

from __future__ import annotations

from jobs.channels.mail.channel import MailChannel
from jobs.channels.mail.probe import Tried, probe
from jobs.channels.mail.server import Letter, Security, Server
from jobs.channels.mail.sink import Sink

__all__ = ["Letter", "MailChannel", "Security", "Server", "Sink", "Tried", "probe"]

"""The composition root: opens the house, closes it in reverse; names the concrete hands and drivers.

`running` is the daemon as a process, `house` what it is made of, `sandboxed` a Tavus beside it,
`online` asks the service about a configuration, `letters` writes what is sent, `preview` shows it beforehand,
`mailtest` sends one by hand, `demo` shows the whole product in a minute.
"""

from scheduler.app.demo import demo
from scheduler.app.mailtest import Tried, try_mail
from scheduler.app.online import check_online
from scheduler.app.preview import Shown, coming, composed, frozen
from scheduler.app.running import Options, main
from scheduler.app.sandboxed import alone, rehearsal

__all__ = [
    "Options",
    "Shown",
    "Tried",
    "alone",
    "check_online",
    "coming",
    "composed",
    "demo",
    "frozen",
    "main",
    "rehearsal",
    "try_mail",
]

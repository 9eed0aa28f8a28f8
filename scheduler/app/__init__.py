"""The composition root: opens the house, closes it in reverse; names the concrete hands and drivers.

`running` is the daemon as a process, `house` what it is made of, `sandboxed` a Tavus beside it,
`online` asks the service about a configuration, `letters` writes what is sent, `preview` shows it beforehand,
`mailtest` sends one by hand, `doctor` looks whether all is there, `demo` shows the whole product in a minute.
"""

from scheduler.app.demo import demo
from scheduler.app.doctor import Case, Finding, Verdict, examine
from scheduler.app.mailtest import Tried, try_mail
from scheduler.app.online import check_online
from scheduler.app.preview import Shown, coming, composed, frozen
from scheduler.app.running import Options, main
from scheduler.app.sandboxed import alone, rehearsal
from scheduler.app.steering import ask_ledger, workers

__all__ = [
    "Case",
    "Finding",
    "Options",
    "Shown",
    "Tried",
    "Verdict",
    "alone",
    "ask_ledger",
    "check_online",
    "coming",
    "composed",
    "demo",
    "examine",
    "frozen",
    "main",
    "rehearsal",
    "try_mail",
    "workers",
]

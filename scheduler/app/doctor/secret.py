"""The secrets: is each where the configuration looks for it, and can nobody else read its file?

Their values are looked up and let go; what is told is where they came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from scheduler.app.doctor.finding import Finding, failed, ok, warning
from scheduler.model import Config, SecretRef
from scheduler.settings import Secret, SettingsError, read_password, read_secret

KEY, OTHERS = "API key", "other secrets"


def secrets(config: Config) -> Sequence[Finding]:
    """One line for the API key; one for each other secret that is amiss, or for all of them."""
    smtp = config.mail.smtp if config.mail else None
    others = [_looked_up(OTHERS, smtp.password, read_password)] if smtp and smtp.password else []
    others += [_looked_up(OTHERS, ref, read_secret) for ref in _others(config)]
    amiss = [each for each in others if each.fix]
    fine = [ok(OTHERS, ", ".join(each.said for each in others))] if others else []
    return (_looked_up(KEY, config.account.api_key, read_secret), *(amiss or fine))


def _others(config: Config) -> Iterator[SecretRef]:
    service = (config.service.admin_token, config.service.heartbeat)
    yield from (each for each in service if isinstance(each, SecretRef))
    yield from dict.fromkeys(config.webhook_secrets.values())


def _looked_up(check: str, ref: SecretRef, read: Callable[[str, str], Secret]) -> Finding:
    try:
        secret = read(ref.source, ref.name)
    except SettingsError as error:
        return failed(check, str(error), _way_out(ref))
    if secret.warning:
        said, _, fix = secret.warning.partition("; ")
        return warning(check, said, fix)
    return ok(check, f"from {secret.origin}")


def _way_out(ref: SecretRef) -> str:
    if ref.source == "file":
        return f"write it into {ref.name}, readable by this user alone"
    return f"set {ref.name}, or {ref.name}_FILE with the path of a file that holds it"

"""The channels of a configuration, open: the ways out by which join links leave the house.

What needs a secret reads it here before anything changes, so that a start or a reload is whole or not at all;
a reload swaps the channels, and what is under way ends on those with which it began. In a rehearsal nothing
leaves: whatever would be mailed or posted is written to a directory. When anything is sent is decided
elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from jobs.channels import Channel
from jobs.channels.log import LogChannel
from jobs.channels.mail import MailChannel, Server, Sink
from jobs.channels.posting import Poster, open_poster
from jobs.channels.signing import signing_key
from jobs.channels.slack import SlackChannel
from jobs.channels.webhook import WebhookChannel
from jobs.model import POSTED, Address, Instant, Invitation, Wording
from scheduler.app.letters import composer
from scheduler.app.mailserver import mail_server
from scheduler.model import Config, Mail, SecretRef
from scheduler.settings import Redaction, Secret, SettingsError, read_secret
from scheduler.telemetry import Telemetry


class Channels:
    """Channels by name, for as long as `open_channels` lasts. `into` is where a rehearsal's messages go."""

    def __init__(
        self,
        poster: Poster,
        now: Callable[[], Instant],
        telemetry: Telemetry,
        redaction: Redaction,
        into: Path | None,
    ) -> None:
        self._telemetry = telemetry
        self._redaction = redaction
        self._into = into
        self._signing: Mapping[str, Secret] = {}
        self._mail: tuple[Mail, Server | None] | None = None
        self._open = AsyncExitStack()
        self._composer = composer(None)
        posts: Mapping[str, Channel] = {
            "webhook": WebhookChannel(poster, self._secret_of, now),
            "slack": SlackChannel(poster),
        }
        rehearsed = {name: Sink(into, ".json") for name in POSTED} if into else posts
        self.by_name: dict[str, Channel] = {"log": LogChannel(), **rehearsed}

    async def use(self, config: Config) -> None:
        """Deliver as this configuration says, from now on.

        Raises SettingsError with the key that is concerned; then nothing has changed.
        """
        signing = {} if self._into else dict(_signing(config))
        server = _server(config.mail) if config.mail and not self._into else None
        self._learn(config, server, signing)
        self._signing = signing
        if config.mail is not None:  # else the old server takes what is still on its way
            await self._use_mail(config.mail, server)

    def compose(self, invitation: Invitation, address: Address, wording: Wording) -> bytes | None:
        """The message for one address, from the sender in force. Raises LetterError."""
        return self._composer(invitation, address, wording)

    async def close(self) -> None:
        """Leave the mail server."""
        await self._open.aclose()

    def _learn(self, config: Config, server: Server | None, signing: Mapping[str, Secret]) -> None:
        """No line shows a password, a signing secret, or a URL that is one."""
        password = [Secret(server.password, "mail.smtp.password")] if server and server.password else []
        self._redaction.learn((*password, *signing.values(), *(Secret(u, "deliver") for u in _urls(config))))
        for warning in {secret.warning for secret in signing.values() if secret.warning}:
            self._telemetry.say("secret_exposed", grave=True, detail=warning)

    async def _use_mail(self, mail: Mail, server: Server | None) -> None:
        if (mail, server) == self._mail:
            return
        former, self._open = self._open, AsyncExitStack()
        self._mail, self._composer = (mail, server), composer(mail.sender)
        if server is None:
            self.by_name["mail"] = Sink(Path(mail.sink or self._into or ""))
        else:
            channel = MailChannel(server, mail.sender, connections=mail.connections)
            self.by_name["mail"] = await self._open.enter_async_context(channel)
        await former.aclose()

    def _secret_of(self, url: str) -> str | None:
        secret = self._signing.get(url)
        return None if secret is None else secret.reveal()


@asynccontextmanager
async def open_channels(
    now: Callable[[], Instant], telemetry: Telemetry, redaction: Redaction, into: Path | None = None
) -> AsyncIterator[Channels]:
    """Channels that know no configuration yet; leaving the block closes them."""
    async with open_poster() as poster:
        channels = Channels(poster, now, telemetry, redaction, into)
        try:
            yield channels
        finally:
            await channels.close()


def _server(mail: Mail) -> Server | None:
    try:
        return mail_server(mail.smtp) if mail.smtp else None
    except (SettingsError, ValueError) as error:
        raise SettingsError(f"mail.smtp: {error}") from None


def _signing(config: Config) -> Iterator[tuple[str, Secret]]:
    """The secret that signs what is posted to each URL."""
    for url, ref in config.webhook_secrets.items():
        place = f"deliver: webhook {Address('webhook', url).place}"
        try:
            yield url, _signer(ref)
        except (SettingsError, ValueError) as error:
            raise SettingsError(f"{place}: {error}") from None


def _signer(ref: SecretRef) -> Secret:
    secret = read_secret(ref.source, ref.name)
    signing_key(secret.reveal())
    return secret


def _urls(config: Config) -> set[str]:
    return {to.target for each in config.schedules.values() for to in each.deliver if to.channel in POSTED}

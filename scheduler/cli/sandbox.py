"""`callboard sandbox`: a Tavus to try things out on, for any client of the API.

Starts the sandbox that `run --sandbox` and `demo` use, alone, until it is told to stop. What it answers and
how it is made to fail stands in jobs/tavus/sandbox/README.md.
"""

from __future__ import annotations

import signal

import click

from scheduler.cli.durations import Duration
from scheduler.cli.shown import Refusal, as_text, conventions
from scheduler.model import Account, Rate

PORT = 8711


@click.command()
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="0 takes a free one.",
)
@click.option("--key", metavar="KEY", help="The only API key that is accepted; without it, any is.")
@click.option(
    "--concurrent",
    metavar="N",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="The plan's conversations at once.",
)
@click.option(
    "--max-call-duration", type=Duration(), default="1h", show_default=True, help="The plan's longest call."
)
@click.option(
    "--requests",
    metavar="N",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Requests a second before 429.",
)
@conventions
def sandbox(
    port: int, key: str | None, concurrent: int, max_call_duration: int, requests: int, as_json: bool
) -> int:
    """Start a Tavus sandbox for any client of the API.

    It stops on Ctrl-C or SIGTERM, and forgets everything.
    """
    import asyncio

    from scheduler import app
    from scheduler.clock import Clock

    account = Account(
        requests=Rate(requests, 1.0),
        concurrent_conversations=concurrent,
        max_call_duration_s=max_call_duration,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        asyncio.run(
            app.alone(app.rehearsal(account, Clock(), key), port, _ready_in_json if as_json else _ready)
        )
    except OSError as error:
        raise Refusal(f"port {port}: {error.strerror}; --port 0 takes a free one") from None
    except KeyboardInterrupt:
        return 0
    return 0


def _ready(base_url: str) -> None:
    click.echo(f"sandbox at {base_url}")
    click.echo(f"in YAML: account: {{base_url: {base_url}}}; faults: jobs/tavus/sandbox/README.md", err=True)


def _ready_in_json(base_url: str) -> None:
    click.echo(as_text({"base_url": base_url}))

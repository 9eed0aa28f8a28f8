"""Lines as they leave the process: no secret, no local of a traceback, and no line that breaks the house."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from jobs.channels.log import LogChannel
from jobs.model import Address, Deliver, Delivered
from scheduler.settings import LogStyle, Secret
from scheduler.telemetry import Telemetry, configure

LINK = "https://tavus.example/secret-room"
KEY = "tvs-0123\"456'789\\é"
SECRETS = (Secret(KEY, "here"),)


@pytest.fixture(autouse=True)
def unconfigured() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


class Holder:
    def __repr__(self) -> str:
        return f"<Holder of {KEY}>"


@pytest.mark.parametrize("style", LogStyle)
@pytest.mark.parametrize(
    "value",
    [
        KEY,
        f"before{KEY}after",
        [KEY],
        {"deep": [{KEY: 1}]},
        (KEY,),
        {KEY},
        Holder(),
        ValueError(KEY),
        KEY.encode(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_secret_is_taken_out_wherever_it_stands(
    stream: io.StringIO, style: LogStyle, value: object
) -> None:
    plain = Secret("plain-secret-42", "there")
    configure(style, stream, (*SECRETS, plain), color=False)
    Telemetry().say("event", field=value, **{"name-plain-secret-42": "x"})
    told = stream.getvalue()
    assert "[redacted]" in told
    assert "plain-secret-42" not in told
    assert "tvs-0123" not in told


@pytest.mark.parametrize("style", LogStyle)
def test_a_traceback_shows_no_locals(stream: io.StringIO, style: LogStyle) -> None:
    configure(style, stream, SECRETS, color=True)
    url, key = LINK, KEY
    try:
        raise RuntimeError(f"with {key}")
    except RuntimeError:
        structlog.get_logger().exception("fault")
    told = stream.getvalue()
    assert "RuntimeError" in told
    assert "in test_a_traceback_shows_no_locals" in told
    assert url not in told
    assert "tvs-0123" not in told


# --- how lines leave ---


@pytest.mark.parametrize("style", LogStyle)
async def test_the_line_that_delivers_is_never_filtered(stream: io.StringIO, style: LogStyle) -> None:
    configure(style, stream, SECRETS, color=False)
    assert await LogChannel().deliver(Deliver("k", None, Address("log"), LINK, 0.0)) == Delivered(
        Address("log")
    )
    assert LINK in stream.getvalue()


def test_json_is_one_object_a_line_and_keeps_names(stream: io.StringIO) -> None:
    configure(LogStyle.JSON, stream, SECRETS, color=False)
    Telemetry().say("ready", name="Zoë\nSmith", holds=["denied"])
    assert "Zoë" in stream.getvalue()
    line = json.loads(stream.getvalue())
    assert (line["name"], line["holds"], line["level"]) == ("Zoë\nSmith", ["denied"], "info")
    assert str(line["timestamp"]).endswith("Z")


def test_people_get_a_line_to_read(stream: io.StringIO) -> None:
    configure(LogStyle.CONSOLE, stream, SECRETS, color=False)
    Telemetry().say("missed", grave=True, key="coach/09:00/2026-03-04/ana")
    (line,) = stream.getvalue().splitlines()
    assert "missed" in line
    assert "coach/09:00/2026-03-04/ana" in line
    assert "\x1b" not in line


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("state", ["gone", "closed", "ascii"])
def test_a_line_that_cannot_be_written_is_dropped(state: str) -> None:
    stream: io.TextIOBase = Gone()
    if state != "gone":
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    configure(LogStyle.JSON, stream, SECRETS, color=False)  # type: ignore[arg-type]
    if state == "closed":
        stream.close()
    Telemetry().say("ready", name="Zoë")
    Telemetry().say("held", grave=True, name="Zoë")

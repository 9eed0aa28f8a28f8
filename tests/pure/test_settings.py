"""Where secrets come from, that they never show, and what the process's own variables may say."""

from __future__ import annotations

import json
import logging
import traceback

import pytest

from scheduler.settings import (
    ENVIRONMENT,
    LogStyle,
    Redaction,
    Secret,
    Settings,
    SettingsError,
    find_password,
    read_password,
    read_secret,
    read_settings,
)

VALUE = "sk-4f9a2b7c"


@pytest.fixture
def secret_file(tmp_path):
    def write(content: str | bytes, mode: int = 0o600) -> str:
        path = tmp_path / "key"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return str(path)

    return write


# --- where it comes from ----------------------------------------------------------------------------


def test_a_credential_wins_over_a_file_and_a_file_over_the_variable(tmp_path, secret_file):
    (tmp_path / "TAVUS_API_KEY").write_text("from-credential\n")
    places = {
        "CREDENTIALS_DIRECTORY": str(tmp_path),
        "TAVUS_API_KEY_FILE": secret_file("from-file\n"),
        "TAVUS_API_KEY": "from-variable",
    }
    found = []
    while places:
        found.append(read_secret("env", "TAVUS_API_KEY", places).reveal())
        places.pop(next(iter(places)))
    assert found == ["from-credential", "from-file", "from-variable"]


def test_a_credentials_directory_without_this_one_is_passed_over(tmp_path):
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path), "SMTP_PASSWORD": VALUE}
    assert read_secret("env", "SMTP_PASSWORD", environ).reveal() == VALUE


def test_an_empty_file_variable_counts_as_unset():
    assert read_secret("env", "KEY", {"KEY_FILE": "", "KEY": VALUE}).origin == "KEY"


def test_the_real_environment_is_read_when_none_is_given(monkeypatch):
    monkeypatch.setenv("CALLBOARD_TEST_KEY", VALUE)
    assert read_secret("env", "CALLBOARD_TEST_KEY").reveal() == VALUE


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_one_newline_at_the_end_of_a_file_is_dropped(secret_file, ending):
    path = secret_file(VALUE + ending)
    secret = read_secret("file", path, {})
    assert (secret.reveal(), secret.origin, secret.warning) == (VALUE, path, None)


def test_a_file_that_everybody_can_read_is_warned_of_but_used(secret_file):
    secret = read_secret("env", "KEY", {"KEY_FILE": secret_file(VALUE, 0o644)})
    assert secret.reveal() == VALUE
    assert "can be read by everybody" in secret.warning


def test_a_secret_that_is_nowhere_names_the_places():
    with pytest.raises(SettingsError, match="TAVUS_API_KEY is not set, nor is TAVUS_API_KEY_FILE"):
        read_secret("env", "TAVUS_API_KEY", {})


@pytest.mark.parametrize("path", ["/nowhere/key", "/", "\0"])
def test_a_file_that_cannot_be_read_is_named_and_nothing_else_is_tried(path):
    with pytest.raises(SettingsError, match="can't be read"):
        read_secret("env", "KEY", {"KEY_FILE": path, "KEY": VALUE})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        (f"{VALUE} x", "a blank"),
        (f"{VALUE}\n\n", "a line break"),
        (f"{VALUE}\t", "a control character"),
        (f"{VALUE}\u00a0", "a blank"),
        (VALUE.encode() + b"\xff\x00", "a control character"),
        (VALUE * 1000, "too long"),
    ],
)
def test_a_value_that_can_be_no_secret_is_refused_without_being_shown(secret_file, content, complaint):
    with pytest.raises(SettingsError, match=complaint) as caught:
        read_secret("file", secret_file(content), {})
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_a_password_may_have_blanks_in_it(secret_file):
    for value in ("open sesame please", f"{VALUE}\u00a0{VALUE}"):
        assert read_password("file", secret_file(f"{value}\n"), {}).reveal() == value
        assert read_password("env", "PASSWORD", {"PASSWORD": value}).reveal() == value


@pytest.mark.parametrize("content", ["", f"{VALUE} ", f" {VALUE}", f"{VALUE}\n\n", f"{VALUE}\t{VALUE}"])
def test_a_password_that_can_be_none_is_refused_without_being_shown(secret_file, content):
    with pytest.raises(SettingsError) as caught:
        read_password("file", secret_file(content), {})
    assert VALUE not in str(caught.value)


def test_a_password_may_be_set_nowhere_and_empty_is_nowhere(tmp_path, secret_file):
    for environ in (
        {},
        {"PGPASSWORD": ""},
        {"PGPASSWORD_FILE": ""},
        {"CREDENTIALS_DIRECTORY": str(tmp_path)},
    ):
        assert find_password("PGPASSWORD", environ) is None
    (tmp_path / "PGPASSWORD").write_text("open sesame\n")
    for environ in (
        {"PGPASSWORD": "open sesame"},
        {"PGPASSWORD_FILE": secret_file("open sesame\n")},
        {"CREDENTIALS_DIRECTORY": str(tmp_path)},
    ):
        found = find_password("PGPASSWORD", environ)
        assert found is not None and found.reveal() == "open sesame"


def test_a_password_that_is_named_must_be_there(tmp_path):
    with pytest.raises(SettingsError, match="lost can't be read"):
        find_password("PGPASSWORD", {"PGPASSWORD_FILE": str(tmp_path / "lost")})


# --- that it never shows ----------------------------------------------------------------------------


def test_no_way_of_printing_shows_the_value(caplog):
    secret = Secret(VALUE, "KEY")
    logging.getLogger("test").error("key %s %r", secret, secret)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{secret!r:.80}",
        f"{[secret]}",
        caplog.text,
    ]
    assert not any(VALUE in text for text in shown)
    assert "Secret(KEY)" in shown[0]
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_redact_takes_every_spelling_of_every_value_out():
    awkward = Secret('a"b\\ü/&c', "A")
    text = " ".join(
        [awkward.reveal(), json.dumps({"key": awkward.reveal()}), "?t=a%22b%5C%C3%BC%2F%26c", VALUE * 2]
    )
    assert Redaction([awkward, Secret(VALUE, "B")])(text) == (
        '[redacted] {"key": "[redacted]"} ?t=[redacted] [redacted][redacted]'
    )


def test_redact_leaves_nothing_of_a_value_that_holds_another():
    secrets = [Secret("password", "A"), Secret("password-of-ana", "B")]
    assert Redaction(secrets)("x password-of-ana y password") == "x [redacted] y [redacted]"


def test_redact_leaves_other_text_alone_even_beside_a_tiny_value():
    assert Redaction([Secret("an", "A"), Secret(VALUE, "B")])("an answer") == "an answer"
    assert Redaction()("an answer") == "an answer"


def test_what_becomes_known_later_is_taken_out_too_and_nothing_is_forgotten():
    redaction = Redaction([Secret("password", "A")])
    redaction.learn([Secret("password-of-ana", "B"), Secret("https://hooks.example/T0/x", "C")])
    assert redaction("password password-of-ana https://hooks.example/T0/x") == " ".join(["[redacted]"] * 3)


# --- the process's own variables --------------------------------------------------------------------


def test_nothing_said_is_none_and_empty_says_nothing():
    assert read_settings({}) == Settings(None, None, None)
    assert read_settings(
        {"CALLBOARD_CONFIG": "", "CALLBOARD_LEDGER": "", "CALLBOARD_LOG": ""}
    ) == read_settings({})


def test_what_is_said_is_read():
    environ = {"CALLBOARD_CONFIG": "a.yaml", "CALLBOARD_LEDGER": "b.db", "CALLBOARD_LOG": "json"}
    assert read_settings(environ) == Settings("a.yaml", "b.db", LogStyle.JSON)


def test_another_word_for_the_log_is_an_error():
    with pytest.raises(SettingsError, match="'xml'; it can be console or json"):
        read_settings({"CALLBOARD_LOG": "xml"})


class Watched(dict[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def get(self, name, default=None):
        self.asked.add(name)
        return default

    def __contains__(self, name):
        self.asked.add(name)
        return False


def test_every_variable_that_is_read_is_listed():
    environ = Watched()
    read_settings(environ)
    with pytest.raises(SettingsError):
        read_secret("env", "TAVUS_API_KEY", environ)
    find_password("PGPASSWORD", environ)
    assert sorted(environ.asked) == sorted(ENVIRONMENT)

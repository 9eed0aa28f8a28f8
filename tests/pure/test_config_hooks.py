"""A webhook's URL that is written wrong, in whatever way, is told of without being shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.config import read

SECRET = "s3cr3t"
SCHEDULE = """\
version: 1
schedules:
  s:
    timezone: UTC
    when: {every: 15m}
    conversation: {persona_id: p}
    WORDS
"""
URLS = [
    f"https://hooks.slack.com/services/T0/B0/{SECRET}",
    f"http://hooks.example.com/{SECRET}",
    f"https://h.example/é/{SECRET}",
    f"https://h.example/{SECRET} x",
    f"https://u:{SECRET}@h.example/x",
    f"https://h.example?t={SECRET}",
    f"https://h.example#{SECRET}",
    f"htps://h.example/{SECRET}",
    f"https//hooks.example.com/{SECRET}",
    f"https:hooks.example.com:8443/{SECRET}",
    f"hooks.example.com/{SECRET}",
    f"<https://h.example/{SECRET}>",
]
PLACES = [
    "deliver: URL",
    "deliver: [log, URL]",
    "deliver: [[URL]]",
    "deliver: [webhook, URL]",
    "deliver: webhook URL",
    "deliver: {URL}",
    "deliver: {URL: webhook}",
    "deliver: {webhook:URL}",
    "deliver: {webhook: URL, bogus: 1}",
    "deliver: {webook: URL}",
    "deliver: {Slack: URL}",
    "deliver: {url: URL}",
    "deliver: {mail: URL}",
    "deliver: {webhook: [URL]}",
    "deliver: {webhook: {url: URL}}",
    "deliver: {webhook: URL, slack: URL}",
    "deliver: {slack: URL, secret: {env: A}}",
    "deliver: {webhook: URL, secret: URL}",
    "deliver: {webhook: 'URL}",
    'deliver: {webhook: "URL" x}',
    "deliver: {webhook: @URL}",
    "deliver: {webhook: *URL}",
    "deliver: {webhook: &URL}",
    "deliver: {webhook: !URL}",
    "deliver: {webhook: URL",
    "deliver:\n\t- webhook: URL",
    "deliver:\n      - URL",
    "deliver:\n      - ? webhook\n        : URL\n        bogus: 1",
    "deliver:\n      - webhook:\n          URL\n        bogus: 1",
    "deliver:\n      - webhook: >-\n          URL\n        bogus: 1",
    "deliver:\n      - channel: webhook\n        target: URL",
    "webhook: URL",
    "hook: URL",
    "slack: URL",
]


@pytest.mark.parametrize("place", PLACES)
def test_it_is_an_error_that_shows_no_more_than_a_host(tmp_path: Path, place: str) -> None:
    file = tmp_path / "a.yaml"
    for url in URLS:
        file.write_text(SCHEDULE.replace("WORDS", place.replace("URL", url)))
        _, found = read([file])
        told = "".join(f"{problem.render()} {problem}" for problem in found) + repr(found)
        assert any(problem.severity == "error" for problem in found), url
        assert SECRET not in told, told

"""Who could never be paged is an error before anybody is to be: by file and line, and of the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console.app import build

PERSON = """\
apiVersion: seamwatch/v1
kind: Person
id: owner@example.org
name: Example Owner
channels:
  - {channel}
"""


def check(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(build(), ["contracts", "check", str(folder), *arguments])


@pytest.fixture(autouse=True)
def _no_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEAMWATCH_DEFAULT_OWNER", raising=False)


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        ("slak://token", "no service has the scheme 'slak': did you mean 'slack'?"),
        ("slak://${SEAMWATCH_CHANNEL_TOKEN}", "no service has the scheme 'slak'"),
        ("not a url", "Apprise does not know this kind of URL"),
        ("json://", "lacks a part that Apprise needs"),
        ("https://hooks.example.org/a", "a webhook of your own is jsons://"),
        ("mailto://${SMTP_USER}@example.org", "write SEAMWATCH_CHANNEL_SMTP_USER"),
        ("msteams://a/b/c/d?template=/etc/passwd", "names a file of the pager's machine"),
    ],
)
def test_a_channel_by_which_nobody_can_be_paged_is_an_error_at_its_line(
    tmp_path: Path, channel: str, words: str
) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(PERSON.format(channel=json.dumps(channel)))
    result = check(tmp_path)
    assert result.exit_code == 1
    assert f"{file}:6: person 'owner@example.org' cannot be paged by this: " in result.output
    assert words in result.output


@pytest.mark.parametrize(
    "channel",
    ["console://", "slack://${SEAMWATCH_CHANNEL_SLACK}", "${SEAMWATCH_CHANNEL_ALL}", "json://127.0.0.1:9/hook",
     "https://hooks.slack.com/services/${SEAMWATCH_CHANNEL_SLACK}", "mailto://${SEAMWATCH_CHANNEL_USER}@example.org"],
)  # fmt: skip
def test_a_channel_that_the_environment_may_complete_is_none(tmp_path: Path, channel: str) -> None:
    (tmp_path / "people.yaml").write_text(PERSON.format(channel=json.dumps(channel)))
    result = check(tmp_path)
    assert (result.exit_code, result.output) == (0, "1 document: 0 errors, 0 warnings\n")


def test_a_default_owner_whom_no_document_knows_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "people.yaml").write_text(PERSON.format(channel="console://"))
    monkeypatch.setenv("SEAMWATCH_DEFAULT_OWNER", "owner@example.com")
    result = check(tmp_path, "--json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)["problems"]
    assert "SEAMWATCH_DEFAULT_OWNER=owner@example.com: no Person document has this id" in problem["message"]
    assert "did you mean 'owner@example.org'?" in problem["message"]
    monkeypatch.setenv("SEAMWATCH_DEFAULT_OWNER", "owner@example.org")
    assert check(tmp_path).exit_code == 0


def test_a_replay_of_a_folder_needs_nobody_to_be_reachable(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text(PERSON.format(channel="mailto://${SMTP_USER}@example.org"))
    events = tmp_path / "events.ndjson"
    events.write_text("")
    result = CliRunner().invoke(build(), ["replay", "--contracts", str(tmp_path), str(events)])
    assert result.exit_code == 0, result.output

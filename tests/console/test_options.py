"""An option of the environment that does not exist is named, with the nearest one, by every command."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from console.app import COMMANDS, build
from seamwatch.options import options, unknown_options


def test_every_option_is_known_and_what_is_like_none_is_told_without_its_value() -> None:
    assert unknown_options(dict.fromkeys(options(), "x")) is None
    assert unknown_options({"SEAMWATCH_CHANNEL_SLACK": "x", "HOME": "/", "SEAMWATCH_METRIC_PORT": ""}) is None
    said = unknown_options({"SEAMWATCH_METRIC_PORT": "hunter2", "seamwatch_default_ownr": "x", "SEAMWATCH_QQQQ": "x"})
    assert said == (
        "SEAMWATCH_METRIC_PORT is no option of Seamwatch and has no effect: did you mean SEAMWATCH_METRICS_PORT?; "
        "SEAMWATCH_QQQQ is no option of Seamwatch and has no effect; "
        "seamwatch_default_ownr is no option of Seamwatch and has no effect: did you mean SEAMWATCH_DEFAULT_OWNER?"
    )


def test_a_command_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAMWATCH_METRIC_PORT", "19400")
    result = CliRunner().invoke(build(), ["contracts", "new", "person"])
    assert result.exit_code == 0
    assert [line.partition(": did")[0] for line in result.stderr.splitlines() if "METRIC" in line] == [
        "seamwatch: warning: SEAMWATCH_METRIC_PORT is no option of Seamwatch and has no effect"
    ]
    assert "METRIC" not in result.stdout
    assert "run" in COMMANDS

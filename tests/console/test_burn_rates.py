"""The burn rates for Prometheus: what is unknown has no rate, and is counted; a file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.burn_rates import write
from seamwatch.durations import SECOND
from seamwatch.errors import UsageError
from sinks.store.questions.burn import HOURS, Burn, Window

NOW = 1_800_000_000 * SECOND


def burn(*rates: float | None, **given: object) -> Burn:
    windows = tuple(Window(hours, 0, burn=rate) for hours, rate in zip(HOURS, rates, strict=True))
    whose = {"cohort": None, "basis": "share", "tolerated": 0.1, "used": None, **given}
    return Burn("c", "1", "valid", "range", "s", windows=windows, **whose)  # type: ignore[arg-type]


def test_rates_are_written_by_window_and_what_is_unknown_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "seamwatch.prom"
    write(
        file,
        [
            burn(2.5, None, 1.0, 0.0),
            burn(None, None, None, None, cohort="old"),
            burn(None, None, None, None, basis="age", used=0.25, cohort="data"),
        ],
        NOW,
    )
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    assert lines == [
        'seamwatch_burn_rate{clause="valid",cohort="",contract="c",system="s",window="1h"} 2.5',
        'seamwatch_burn_rate{clause="valid",cohort="",contract="c",system="s",window="1d"} 1.0',
        'seamwatch_burn_rate{clause="valid",cohort="",contract="c",system="s",window="3d"} 0.0',
        'seamwatch_burn_age_used{clause="valid",cohort="data",contract="c",system="s"} 0.25',
        'seamwatch_burn_unknown{contract="c"} 1.0',
        "seamwatch_burn_asked_timestamp_seconds 1.8e+09",
    ]


def test_a_file_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--textfile .* cannot be written"):
        write(tmp_path / "nowhere" / "seamwatch.prom", [], NOW)

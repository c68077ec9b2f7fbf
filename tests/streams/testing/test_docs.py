"""The examples of docs/testing.md run, and print what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "testing.md"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_page_run_and_print_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fences = _FENCE.findall(PAGE.read_text("utf-8"))
    assert [language for language, _ in fences] == ["yaml", "python", "text", "python", "text"]
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "features.yaml").write_text(fences[0][1], "utf-8")
    names: dict[str, Any] = {}
    for (_, code), (_, printed) in zip(fences[1::2], fences[2::2], strict=True):
        exec(compile(code, str(PAGE), "exec"), names)
        assert capsys.readouterr().out == printed

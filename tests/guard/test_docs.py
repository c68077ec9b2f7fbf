"""The examples of docs/guard.md run, and print what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "guard.md"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_page_run_one_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    monkeypatch.setenv("SEAMWATCH_DATA", str(tmp_path))
    (tmp_path / "contracts").mkdir()
    fences = _FENCE.findall(PAGE.read_text("utf-8"))
    contract, printed = (next(content for name, content in fences if name == kind) for kind in ("yaml", "text"))
    (tmp_path / "contracts" / "pact.yaml").write_text(contract, "utf-8")
    names: dict[str, Any] = {}
    for language, content in fences:
        if language == "python":
            exec(compile(content, str(PAGE), "exec"), names)
    assert capsys.readouterr().out == printed + (
        "The call of refund waits for a person: a confidence of 0.4 is below 0.6, so a person decides "
        "(desk-pact@1#unsure).\n"
    )
    names["emitter"].close(timeout=2.0)
    assert names["emitter"].counts.dropped == names["emitter"].counts.refused == 0
    assert names["emitter"].counts.accepted == 11

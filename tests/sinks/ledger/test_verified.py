from __future__ import annotations

from pathlib import Path

import pytest

from sinks.ledger.verified import Verified, keep, last

ONE = Verified(7, 12, 0, {("t.inference", 0): 5, ("t.violations.rate", 3): 2})


def test_what_is_kept_is_told(tmp_path: Path) -> None:
    keep(tmp_path, ONE)
    assert last(tmp_path) == ONE
    assert ONE.covers("t.inference", 0, 4)
    assert not ONE.covers("t.inference", 0, 5)
    assert not ONE.covers("t.inference", 1, 0)


def test_without_a_data_folder_nothing_is_kept(tmp_path: Path) -> None:
    keep(tmp_path / "elsewhere", ONE)
    assert not (tmp_path / "elsewhere").exists()
    assert last(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"at": 1, "rows": 2, "wrong": 0, "positions": [["t"]]}', "\x00"])
def test_a_file_that_says_nothing_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "verified.json").write_text(text)
    assert last(tmp_path) is None

"""A folder of documents for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.signing.folder import Folder, prepare


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Documents whose people have keys, not signed yet."""
    return prepare(tmp_path, monkeypatch)

"""A folder of documents that the gate lets pass once all have signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.signing.folder import Folder, prepare


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Documents whose contract all have signed, and whose approval is signed too."""
    made = prepare(tmp_path, monkeypatch)
    made.sign("lead", "product", "risk")
    made.sign_approval()
    return made

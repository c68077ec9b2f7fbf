"""A scene of its own for each test that needs stages and a broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streams.stages import Scene


@pytest.fixture
def scene(kafka: str, tmp_path: Path) -> Iterator[Scene]:
    """Topics under a prefix of their own; whatever stage was started is stopped at the end."""
    staged = Scene(kafka, tmp_path / "documents")
    try:
        yield staged
    finally:
        staged.end()
        staged.close()

"""What a library says over and over is logged now and then, with how often it was said."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from seamwatch import log
from seamwatch.settings import Settings


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.usefixtures("_restored")
def test_a_library_that_repeats_itself_fills_no_disk(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.configure(Settings(log_format="json"), "page")
    now = [100.0]
    monkeypatch.setattr("seamwatch.log.time.monotonic", lambda: now[0])
    library = logging.getLogger("some.library")
    for _ in range(1_000):
        library.error("no connection to node %s", 1)
        library.error("no connection to node %s", 2)
    now[0] += 11
    library.error("no connection to node %s", 1)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line.get("repeated")) for line in lines] == [
        ("no connection to node 1", None), ("no connection to node 2", None), ("no connection to node 1", 999),
    ]  # fmt: skip

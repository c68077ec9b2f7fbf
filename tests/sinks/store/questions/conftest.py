"""One store for the questions of a day of a lender (`judged`): tests look, and send nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sinks.store.questions.judged import Judged, judged


@pytest.fixture(scope="session")
def day(clickhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """The store."""
    with judged(clickhouse, tmp_path_factory.mktemp("judged")) as made:
        yield made

"""Whether the address that pulls the log may write is what the store says of its user's own rights."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from sinks.store.client import Store
from sinks.store.questions.readiness.pulling import may_write
from tests.sinks.store.questions.judged import Judged


def test_the_auditor_may_not_write_and_the_writer_may(day: Judged, auditor_url: str, clickhouse: str) -> None:
    url = urlunsplit(urlsplit(auditor_url)._replace(path=urlsplit(day.url).path))
    with Store(url, reading=True) as auditor, Store(day.url, reading=True) as writer:
        assert may_write(writer) is True
        # Where the tests are given one user for both, there is none that only reads.
        assert may_write(auditor) is (auditor_url == clickhouse)

"""A store over HTTPS is checked by certificates of one's own, and one that they do not cover is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from seamwatch.errors import UnreachableError
from sinks.store.client import Store
from tests.bus.authority import certificates
from tests.sinks.store.encrypting import encrypting


@pytest.fixture
def encrypted(clickhouse: str, tmp_path: Path) -> Iterator[str]:
    """The real store, behind somebody who speaks TLS; its URL without the certificates."""
    certificates(tmp_path)
    with encrypting(clickhouse, tmp_path / "server.pem") as url:
        yield url


def test_by_certificates_of_ones_own(encrypted: str, tmp_path: Path) -> None:
    with Store(f"{encrypted}?ca_cert={quote(str(tmp_path / 'ca.pem'))}", database="default") as store:
        assert store.rows("SELECT 1 AS one") == [{"one": 1}]
        assert "ca_cert" not in str(store.address)


def test_a_certificate_that_nobody_trusts_is_refused(encrypted: str) -> None:
    with Store(encrypted, database="default") as store, pytest.raises(UnreachableError, match="certificate"):
        store.rows("SELECT 1")

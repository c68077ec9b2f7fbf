"""Decisions: asks the store which decisions have some ids; what an outcome does not carry is taken from them.

Reads the table `inference` by ``event_id``, which its projection ``placed`` is ordered by, and nothing else. Retries
nothing, and waits for nothing: what the recorder has not stored yet is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from seamwatch.errors import SeamwatchError, StoreError, UnreachableError, UsageError
from seamwatch.settings import Settings

NEIGHBOURS_A_QUESTION = 500
STRANGERS_A_QUESTION = 50
"""Ids that grow with time (UUIDv7) lie side by side in the projection, so many of them read little. Of others each
reads a place of its own in every part of the table: of too many at once the store takes reading all to be cheaper."""
LONGEST_ID = 1_000
"""What has more bytes is not asked for: a question has bounds, and no producer's id is nearly as long."""
DECISION = {
    "system": pl.String(),
    "event_id": pl.String(),
    "score": pl.Float64(),
    "cohort": pl.String(),
    "version": pl.String(),
}
"""What is asked of a decision."""

_BYTES_A_QUESTION = 25_000
"""A parameter may have 128 KiB (ClickHouse's http_max_field_value_size), and an id's bytes may have to be escaped."""
_ANSWER_SECONDS = 30
_UUID_LENGTH, _UUID_VERSION = 36, 14
_QUESTION = """
SELECT CAST(system, 'String'), event_id, score, CAST(cohort, 'Nullable(String)'), CAST(version, 'String')
FROM inference
WHERE event_id IN {ids:Array(String)}
ORDER BY broker_time, event_id
LIMIT 1 BY system, event_id
"""


class Decisions:
    """The decisions of one store, ``http://user:password@host:port/database``. Not shared between threads.

    Connecting is left to the first question, so that a stage starts while its store is away.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError("CLICKHOUSE_URL: write http://<user>:<password>@<host>:<port>/<database>")
        self._url = url
        self._scheme = parts.scheme
        self._database = parts.path.strip("/") or "seamwatch"
        self._name = f"{parts.scheme}://{parts.hostname}:{parts.port or ''}/{self._database}"
        self._client: Any = None

    def find(self, ids: Sequence[str]) -> pl.DataFrame:
        """The decisions with these ids, in the columns of `DECISION`; of several with one id the first that arrived.

        Raises UnreachableError when the store does not answer, StoreError when it refuses; then nothing is known of
        any of the ids.
        """
        rows: list[tuple[Any, ...]] = []
        for some in _questions(ids):
            rows += self._rows(some)
        return pl.DataFrame(rows, schema=DECISION, orient="row")

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _rows(self, ids: Sequence[str]) -> list[tuple[Any, ...]]:
        from clickhouse_connect.driver import exceptions
        from urllib3.exceptions import HTTPError

        try:
            if self._client is None:
                self._client = self._connect()
            found: list[tuple[Any, ...]] = list(self._client.query(_QUESTION, {"ids": list(ids)}).result_rows)
        except (exceptions.Error, HTTPError, OSError) as error:
            # The driver keeps a broken connection otherwise, and gives it to the next question.
            self.close()
            raise self._mapped(error) from error
        return found

    def _connect(self) -> Any:
        import clickhouse_connect

        return clickhouse_connect.get_client(
            dsn=self._url,
            interface=self._scheme,
            database=self._database,
            autogenerate_session_id=False,
            connect_timeout=5,
            send_receive_timeout=_ANSWER_SECONDS,
            query_retries=0,
            compress=False,
        )

    def _mapped(self, error: Exception) -> SeamwatchError:
        said = " ".join(str(error).split())
        if "DB::Exception" in said:
            return StoreError(f"the store at {self._name} refused to tell decisions: {said}")
        return UnreachableError(f"the store at {self._name} cannot be reached: {said}; is it running?")


def _questions(ids: Sequence[str]) -> Iterator[list[str]]:
    neighbours: list[str] = []
    strangers: list[str] = []
    for key in sorted(ids):
        (neighbours if _grows_with_time(key) else strangers).append(key)
    for some, most in ((neighbours, NEIGHBOURS_A_QUESTION), (strangers, STRANGERS_A_QUESTION)):
        question: list[str] = []
        held = 0
        for key in some:
            size = len(key.encode())
            if size > LONGEST_ID:
                continue
            if question and (len(question) == most or held + size > _BYTES_A_QUESTION):
                yield question
                question, held = [], 0
            question.append(key)
            held += size
        if question:
            yield question


def _grows_with_time(key: str) -> bool:
    return len(key) == _UUID_LENGTH and key[_UUID_VERSION] == "7"


def decisions_of(settings: Settings) -> Decisions | None:
    """The decisions in the store, which is only read; None when no store is named."""
    url = settings.auditor or settings.clickhouse
    return None if url is None else Decisions(url)

"""The store's client: rows in by Arrow, answers out, over ClickHouse's HTTP interface and nothing else.

Raises errors of ours only (`sinks.store.refusals`); retries nothing (`sinks.store.retries` says what may be) and knows
no table.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import polars as pl

from seamwatch.errors import UnreachableError, UsageError
from sinks.store.arrow import binary_frames, read_batches, with_binary, with_texts
from sinks.store.refusals import StoreRefusedError, error_of, is_read_only_already, may_not_set

_PIECE = 1024 * 1024
_NOTHING: Mapping[str, str] = MappingProxyType({})
_AS_BYTES = MappingProxyType({"output_format_arrow_string_as_string": "0"})
_DICTIONARIES = MappingProxyType({"output_format_arrow_low_cardinality_as_dictionary": "1", **_AS_BYTES})
_INSERT_SETTINGS = {"async_insert": 0, "insert_deduplicate": 1}
_READ_ONLY = MappingProxyType({"readonly": "1"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is; made from a URL such as ``http://writer:secret@127.0.0.1:8123/seamwatch``.

    ``https://…?ca_cert=FILE`` has it checked by certificates of one's own.
    """

    host: str
    port: int
    user: str
    password: str
    database: str
    secure: bool
    ca: str | None = None
    """The file of the certificates that the store's is checked by; None for those that the machine trusts."""

    @classmethod
    def parse(cls, url: str) -> Address:
        """The address a URL names; UsageError when it is not an http(s) URL with a host."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError("CLICKHOUSE_URL: write http://<user>:<password>@<host>:<port>/<database>")
        secure = parts.scheme == "https"
        return cls(
            host=parts.hostname,
            port=parts.port or (8443 if secure else 8123),
            user=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            database=unquote(parts.path.strip("/")) or "seamwatch",
            secure=secure,
            ca=next(iter(parse_qs(parts.query).get("ca_cert", [])), None),
        )

    def __str__(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.host}:{self.port}/{self.database}"


class Store:
    """One connection to the store; not shared between threads.

    Connecting is left to the first use, so that a recorder starts while its store is still away.
    """

    def __init__(self, url: str, *, database: str | None = None, timeout: float = 300.0, reading: bool = False) -> None:
        """``reading`` has the store refuse whatever writes, also where the user in the URL may write."""
        self.address = Address.parse(url)
        self._database = self.address.database if database is None else database
        self._timeout = timeout
        self._client: Any = None
        self._reading = dict(_READ_ONLY) if reading else {}
        self._is_refused_settings = False
        self._stand_ins: Mapping[str, str] = _NOTHING

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    @contextmanager
    def with_stand_ins(self, queries: Mapping[str, str]) -> Iterator[None]:
        """In the block, a question that names one of these tables is answered from its query, by that name, instead."""
        before, self._stand_ins = self._stand_ins, queries
        try:
            yield
        finally:
            self._stand_ins = before

    def insert(
        self, table: str, frame: pl.DataFrame, token: str, while_sending: Callable[[], None] | None = None
    ) -> None:
        """Insert a frame as one block; a block with a token that the table has seen before is left out by it.

        Returns once the store has the rows. ``while_sending`` is called before each chunk of the body; what it raises
        ends the insert, and then the store keeps nothing of it. Raises UnreachableError when it is not known what
        became of the insert, StoreRefusedError when the store answered with an error.
        """
        buffer = io.BytesIO()
        frame.write_ipc_stream(buffer, compat_level=pl.CompatLevel.oldest())
        settings = _INSERT_SETTINGS | {"insert_deduplication_token": token}
        body = buffer.getvalue() if while_sending is None else _chunks(buffer.getbuffer(), while_sending)
        self._call("raw_insert", table, frame.columns, body, settings, "ArrowStream")

    def rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The answer to a query as dicts; times as aware datetimes. ``{name:Type}`` in it takes a parameter."""
        result = self._call("query", self._with(sql), parameters=dict(parameters or {}))
        # The driver has the first block only: it reads the others from the store as they are asked for.
        with self._our_errors():
            return list(result.named_results())

    def frame(
        self, sql: str, parameters: Mapping[str, Any] | None = None, *, exact_bytes: bool = False
    ) -> pl.DataFrame:
        """The answer to a query as a polars frame.

        With ``exact_bytes`` the store's String columns, which may hold any bytes, all come as Binary; without it only
        those that hold bytes (`seamwatch.columnar.texts`), and the others as String.
        """
        answer = self._call("raw_query", self._with(sql), dict(parameters or {}), fmt="ArrowStream")
        return with_binary(answer) if exact_bytes else with_texts(answer)

    def frames(self, sql: str, rows: int) -> Iterator[pl.DataFrame]:
        """The answer to a query in frames of about so many rows, texts as Binary; only one is unpacked at a time."""
        import pyarrow as pa

        sql = self._with(sql)
        try:
            schema, batches = read_batches(self._short_stream(sql))
        except pa.ArrowInvalid:
            # Dictionaries must be UTF-8, and whoever edits a column may write what is none.
            schema, batches = read_batches(self._stream(sql))
        yield from binary_frames(schema, batches, rows)

    def _stream(self, sql: str) -> bytes:
        return bytes(self._call("raw_query", sql, {}, fmt="ArrowStream"))

    def _short_stream(self, sql: str) -> bytes:
        """The answer as an Arrow stream, with columns of few texts as dictionaries if the user may ask for that.

        They take the store a fifth less than each text of each row.
        """
        if not self._is_refused_settings:
            try:
                answer = self._call("raw_query", sql, {}, fmt="ArrowStream", sending=_DICTIONARIES)
            except StoreRefusedError as error:
                if not may_not_set(error):
                    raise
                self._is_refused_settings = True
            else:
                return bytes(answer)
        return bytes(self._call("raw_query", sql, {}, fmt="ArrowStream"))

    def _with(self, sql: str) -> str:
        named = [name for name in self._stand_ins if re.search(rf"\b(?:FROM|JOIN|IN) {name}\b", sql)]
        # A common table expression goes before a table of its name, in every subquery too.
        stood = ", ".join(f"{name} AS ({self._stand_ins[name]})" for name in named)
        return f"WITH {stood} {sql}" if named else sql

    def text(self, sql: str, form: str | None) -> bytes:
        """The answer to a query in one of ClickHouse's formats (``JSONEachRow``, ``CSV`` …), byte for byte.

        None leaves it to the FORMAT that the query itself names.
        """
        answer = self._call("raw_query", sql, fmt=form)
        return bytes(answer)

    def lines(self, sql: str, form: str) -> Iterator[bytes]:
        """The answer to a query in a format of lines, one by one as they come; ending early ends the answer.

        Raises as the others do, also in between.
        """
        stream = self._call("raw_stream", sql, fmt=form)
        left = b""
        try:
            while piece := self._read(stream):
                *whole, left = (left + piece).split(b"\n")
                yield from whole
            if left:
                yield left
        finally:
            stream.close()

    def _read(self, stream: Any) -> bytes:
        with self._our_errors():
            return bytes(stream.read(_PIECE))

    @contextmanager
    def as_its_user(self) -> Iterator[None]:
        """In the block the store is not told that we only read, so that it answers what the user themselves may do."""
        before, self._reading = self._reading, {}
        try:
            yield
        finally:
            self._reading = before

    def command(self, sql: str) -> None:
        """Run a statement that answers nothing."""
        self._call("command", sql)

    def _call(self, method: str, *arguments: Any, sending: Mapping[str, str] = _NOTHING, **options: Any) -> Any:
        """Call a method of the driver; ``sending`` are settings for the store to refuse, not for the driver."""
        try:
            with self._our_errors():
                if self._client is None:
                    self._client = self._connect()
                with _sending(self._client.params, {**self._reading, **sending}):
                    return getattr(self._client, method)(*arguments, **options)
        except StoreRefusedError as refused:
            if not (self._reading and is_read_only_already(refused)):
                raise
            self._reading = {}
            return self._call(method, *arguments, sending=sending, **options)

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        """What the driver, its HTTP client or the operating system raise in the block, as errors of ours."""
        from clickhouse_connect.driver import exceptions
        from urllib3.exceptions import HTTPError

        try:
            yield
        except (exceptions.Error, HTTPError, OSError) as error:
            ours = error_of(error, self.address)
            if isinstance(ours, UnreachableError):
                # The driver keeps a broken connection otherwise, and gives it to the next call.
                self.close()
            raise ours from error

    def _connect(self) -> Any:
        import clickhouse_connect
        from clickhouse_connect import common

        # One recorder inserts while another query runs: sessions would make them wait for each other.
        common.set_setting("autogenerate_session_id", False)
        # The driver warns of each request that fails, which is for its caller to tell, with what becomes of it.
        logging.getLogger(clickhouse_connect.__name__).setLevel(logging.ERROR)
        return clickhouse_connect.get_client(
            host=self.address.host,
            port=self.address.port,
            username=self.address.user,
            password=self.address.password,
            database=self._database or None,
            secure=self.address.secure,
            ca_cert=self.address.ca,
            send_receive_timeout=self._timeout,
            connect_timeout=5,
            query_retries=0,
            compress=False,
            tz_mode="aware",
        )


@contextmanager
def _sending(parameters: dict[str, str], more: Mapping[str, str]) -> Iterator[None]:
    parameters.update(more)
    try:
        yield
    finally:
        for name in more:
            del parameters[name]


def _chunks(body: memoryview, before_each: Callable[[], None]) -> Iterator[bytes]:
    for start in range(0, len(body), _PIECE):
        before_each()
        yield bytes(body[start : start + _PIECE])


def quoted(values: Sequence[str]) -> str:
    """Texts as a list of ClickHouse string literals, for an IN."""
    escaped = (value.replace("\\", "\\\\").replace("'", "\\'") for value in values)
    return ", ".join(f"'{value}'" for value in escaped)

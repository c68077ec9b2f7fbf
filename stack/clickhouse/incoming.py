"""What a request to the local ClickHouse server asks: its statement, read off the body, apart from an insert's data.

Reads text and bytes; runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import anyio.from_thread
from starlette.requests import Request

from stack.clickhouse.http_request import Call
from stack.clickhouse.refusals import Refusal
from stack.clickhouse.statement import InsertHead, first_keyword, insert_head, tokens, trailing_statement

# A statement with its literals; the data of an insert are not counted.
MAX_STATEMENT_BYTES: Final = 64 * 1024 * 1024
_HEAD_STEP: Final = 64 * 1024
_SMALL_BODY: Final = 64 * 1024

# Formats whose blocks, each formatted by itself, make a whole when they are joined.
_STREAMED: Final = frozenset(
    {"Native", "RowBinary", "JSONEachRow", "JSONCompactEachRow", "JSONStringsEachRow", "TabSeparated", "TSV",
     "TabSeparatedRaw", "TSVRaw", "CSV", "NDJSON", "JSONLines", "Null"}
)  # fmt: skip


async def pieces(request: Request) -> Iterator[bytes]:
    """The body, for a thread to go through: a small one is all here, of another each piece is waited for.

    Most bodies are a statement, and handing one over to the thread costs more than the statement does.
    """
    headers = request.headers
    length = headers.get("content-length", "" if "transfer-encoding" in headers else "0")
    if length.isdigit() and int(length) <= _SMALL_BODY:
        return iter((await request.body(),))
    body = aiter(request.stream())

    def next_piece() -> bytes:
        return anyio.from_thread.run(anext, body, b"")

    return iter(next_piece, b"")


def read_statement(query: str, chunks: Iterator[bytes]) -> tuple[InsertHead | None, bytes, Iterator[bytes]]:
    """The head of an insert, the statement, and the insert's data.

    The data are read as they are needed: only what holds the text is read here.
    """
    text = query.encode("utf-8", "surrogateescape")
    buffered = text + b"\n" if text else b""
    wanted, ended = _HEAD_STEP if not text else 0, False
    while True:
        while not ended and len(buffered) < wanted:
            chunk = next(chunks, None)
            buffered, ended = buffered + (chunk or b""), chunk is None
        head = insert_head(buffered)
        # A name at the very end may go on in the next chunk; the query of a URL is whole.
        if head is not None and (ended or text or head.data_start + 2 < len(buffered)):
            rest = buffered[head.data_start :]
            return head, buffered, _joined(rest, chunks)
        if ended:
            break
        if len(buffered) > MAX_STATEMENT_BYTES:
            raise Refusal(223, "QUERY_IS_TOO_LARGE", f"The statement is longer than {MAX_STATEMENT_BYTES} bytes")
        wanted = max(len(buffered) * 2, _HEAD_STEP)
    if not buffered.strip():
        raise Refusal(62, "SYNTAX_ERROR", "Empty query")
    if (more := trailing_statement(buffered)) is not None:
        raise Refusal(62, "SYNTAX_ERROR", f"Syntax error (Multi-statements are not allowed): {more[:60]}")
    return None, buffered, iter(())


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def reads(sql: bytes) -> bool:
    """Whether it is a query, and no statement that changes anything."""
    # WITH may also open an insert, and a query may be sent to a file.
    return first_keyword(sql) in {"SELECT", "WITH", "FROM", "EXPLAIN", "SHOW", "DESCRIBE"} and not any(
        token.keyword in {"INSERT", "OUTFILE"} for token in tokens(sql)
    )


def can_stream(sql: bytes, output: str, call: Call) -> bool:
    """Whether the answer's blocks, each formatted by itself, make the answer."""
    if output not in _STREAMED or first_keyword(sql) not in {"SELECT", "WITH", "FROM"} or "extremes" in call.settings:
        return False
    # Totals come after the rows, and a stream of blocks leaves them out.
    return reads(sql) and not any(token.keyword == "TOTALS" for token in tokens(sql))


def text_of(sql: bytes) -> str:
    """The statement as text, without a closing semicolon; Refusal when it is not UTF-8."""
    try:
        return sql.decode().rstrip().rstrip(";")
    except UnicodeDecodeError as error:
        raise Refusal(62, "SYNTAX_ERROR", f"The statement is not UTF-8 at byte {error.start}") from error

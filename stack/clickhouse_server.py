"""The local ClickHouse server: ClickHouse's HTTP interface on loopback, over the embedded engine.

Run as ``python -m stack.clickhouse_server --path DIR --port N --secrets FILE``. It serves what clients of ClickHouse
use: the query in URL or body, data of inserts in the body, settings, ``param_*``, ``database``, ``default_format``,
credentials in headers or URL, compressed bodies, ClickHouse's error codes. It has two users, the writer and the
auditor, and holds the auditor to reading (``stack.readonly``). Sessions, temporary tables, clusters and ClickHouse's
native protocol it has not.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Final

import anyio
import anyio.from_thread
import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from stack.engine import Answer, Engine, Session, Written
from stack.http_request import Call, call_of, plain_chunks
from stack.refusals import Refusal
from stack.statement import InsertHead, first_keyword, insert_head, output_format, tokens, trailing_statement

_log = logging.getLogger("seamwatch.clickhouse")

# Statements that run at once; more wait their turn.
MAX_CONCURRENT: Final = 32
# A statement with its literals; the data of an insert are not counted.
MAX_STATEMENT_BYTES: Final = 64 * 1024 * 1024
_HEAD_STEP: Final = 64 * 1024

# Formats whose blocks, each formatted by itself, make a whole when they are joined.
_STREAMED: Final = frozenset(
    {"Native", "RowBinary", "JSONEachRow", "JSONCompactEachRow", "JSONStringsEachRow", "TabSeparated", "TSV",
     "TabSeparatedRaw", "TSVRaw", "CSV", "NDJSON", "JSONLines", "Null"}
)  # fmt: skip


class Server:
    """Serves one engine to the users whose secrets it is given."""

    def __init__(self, engine: Engine, secrets: Mapping[str, str]) -> None:
        self._engine = engine
        self._secrets = secrets
        self._limiter = anyio.CapacityLimiter(MAX_CONCURRENT)

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/ping", _ok, methods=["GET", "HEAD"]),
                Route("/replicas_status", _ok, methods=["GET", "HEAD"]),
                Route("/", self._serve, methods=["GET", "POST"]),
            ]
        )

    async def _serve(self, request: Request) -> Response:
        try:
            call = call_of(request, self._secrets)
        except Refusal as refusal:
            return self._refused(refusal, None)
        if not call.query and request.method == "GET":
            return PlainTextResponse("Ok.\n")
        body = aiter(request.stream())

        def next_chunk() -> bytes:
            return anyio.from_thread.run(anext, body, b"")

        try:
            chunks = plain_chunks(iter(next_chunk, b""), request.headers.get("content-encoding", ""))
            return await anyio.to_thread.run_sync(self._carry_out, call, chunks, limiter=self._limiter)
        except Refusal as refusal:
            return self._refused(refusal, call)
        except ClientDisconnect:
            return Response(status_code=499)

    def _carry_out(self, call: Call, chunks: Iterator[bytes]) -> Response:
        """Run a call in a worker thread. The session outlives this for as long as the answer is being sent."""
        head, sql, data = _read_statement(call.query, chunks)
        output = output_format(sql) or call.default_format
        streamed = head is None and _can_stream(sql, output, call)
        session = self._engine.session()
        kept = False
        try:
            session.prepare(call.database, call.settings, call.parameters, auditor=call.auditor, held=not streamed)
            if call.auditor:
                session.read_only(1)
            elif not call.may_write:
                session.read_only(2)  # ClickHouse's own rule for GET
            if head is not None:
                if call.auditor:
                    raise Refusal(497, "ACCESS_DENIED", "auditor: INSERT is not among what a read-only user may use")
                return self._done(call, session.insert(head.text, head.format, data))
            statement = _text(sql)
            if call.auditor:
                statement = session.readable(statement)
            if not streamed:
                return self._held(call, session.held(statement, output), output)
            answer = session.streamed(statement, output)
            kept = True
            return self._streamed(call, session, answer, output)
        finally:
            if not kept:
                session.close()

    def _held(self, call: Call, answer: Answer, output: str) -> Response:
        headers = self._headers(call) | _summary(answer.read_rows, answer.read_bytes, answer.written)
        return Response(
            b"".join(answer.blocks), headers=headers | {"X-ClickHouse-Format": output} | _content_type(output)
        )

    def _done(self, call: Call, written: Written) -> Response:
        return Response(b"", headers=self._headers(call) | _summary(0, 0, written) | _content_type(""))

    def _streamed(self, call: Call, session: Session, answer: Answer, output: str) -> Response:
        headers = self._headers(call) | _summary(answer.read_rows, answer.read_bytes, answer.written)
        headers |= {"X-ClickHouse-Format": output} | _content_type(output)
        tag = token_hex(8)
        headers["X-ClickHouse-Exception-Tag"] = tag
        return StreamingResponse(self._send(session, answer, tag), headers=headers)

    async def _send(self, session: Session, answer: Answer, tag: str) -> AsyncIterator[bytes]:
        blocks = answer.blocks
        try:
            while True:
                block = await anyio.to_thread.run_sync(next, blocks, b"", limiter=self._limiter)
                if not block:
                    return
                yield block
        except Refusal as refusal:
            # The status is sent already. As ClickHouse does: the error in a frame that names this answer's tag, then
            # the connection breaks, so that no client takes a part for the whole.
            text = refusal.body(self._engine.version).encode()
            mark = f"{tag}\r\n".encode()
            yield b"\r\n__exception__\r\n" + mark + text + f"{len(text)} ".encode() + mark + b"__exception__\r\n"
            raise ConnectionAbortedError(str(refusal)) from refusal
        finally:
            close: Callable[[], None] | None = getattr(blocks, "close", None)
            if close is not None:
                close()
            session.close()

    def _headers(self, call: Call | None) -> dict[str, str]:
        return {
            "X-ClickHouse-Server-Display-Name": "seamwatch-local",
            "X-ClickHouse-Timezone": self._engine.timezone,
        } | ({"X-ClickHouse-Query-Id": call.query_id} if call else {})

    def _refused(self, refusal: Refusal, call: Call | None) -> Response:
        headers = self._headers(call) | {"X-ClickHouse-Exception-Code": str(refusal.code)}
        if refusal.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        return PlainTextResponse(refusal.body(self._engine.version), refusal.status, headers)


async def _ok(_request: Request) -> Response:
    return PlainTextResponse("Ok.\n")


def _read_statement(query: str, chunks: Iterator[bytes]) -> tuple[InsertHead | None, bytes, Iterator[bytes]]:
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


def _can_stream(sql: bytes, output: str, call: Call) -> bool:
    if output not in _STREAMED or first_keyword(sql) not in {"SELECT", "WITH", "FROM"} or "extremes" in call.settings:
        return False
    # Totals come after the rows, and a stream of blocks leaves them out; WITH may also open an insert.
    return not any(token.keyword in {"TOTALS", "INSERT", "OUTFILE"} for token in tokens(sql))


def _text(sql: bytes) -> str:
    try:
        return sql.decode().rstrip().rstrip(";")
    except UnicodeDecodeError as error:
        raise Refusal(62, "SYNTAX_ERROR", f"The statement is not UTF-8 at byte {error.start}") from error


def _summary(read_rows: int, read_bytes: int, written: Written) -> dict[str, str]:
    counts = {
        "read_rows": read_rows,
        "read_bytes": read_bytes,
        "written_rows": written.rows,
        "written_bytes": written.bytes,
        "result_rows": 0,
        "result_bytes": 0,
    }
    return {"X-ClickHouse-Summary": json.dumps({name: str(count) for name, count in counts.items()})}


def _content_type(output: str) -> dict[str, str]:
    if output in {"JSON", "JSONCompact", "JSONStrings"}:
        return {"Content-Type": "application/json; charset=UTF-8"}
    if output.endswith("EachRow"):
        return {"Content-Type": "application/x-ndjson; charset=UTF-8"}
    if output in {"Native", "Arrow", "ArrowStream", "Parquet", "RowBinary"}:
        return {"Content-Type": "application/octet-stream"}
    return {"Content-Type": "text/plain; charset=UTF-8"}


def main() -> None:
    """Serve until SIGTERM or SIGINT. Prints ``ready <port>`` once it answers."""
    parser = argparse.ArgumentParser(prog="python -m stack.clickhouse_server", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="folder of the engine's data")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 for a free one")
    parser.add_argument("--secrets", type=Path, required=True, help='file with {"writer": …, "auditor": …}')
    parser.add_argument("--database", default="seamwatch", help="database that is there from the start")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    # uvicorn tells each broken connection as an exception of ours; what matters is logged here.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    secrets: dict[str, str] = json.loads(options.secrets.read_text())
    listener = socket.create_server(("127.0.0.1", options.port), backlog=256)
    options.path.mkdir(parents=True, exist_ok=True)
    engine = Engine(options.path)
    with engine.session() as session:
        session.held(f"CREATE DATABASE IF NOT EXISTS `{options.database}`", "Null")
    config = uvicorn.Config(
        Server(engine, secrets).app(), log_config=None, access_log=False, timeout_graceful_shutdown=3,
        timeout_keep_alive=60, server_header=False, lifespan="off", h11_max_incomplete_event_size=1024 * 1024,
    )  # fmt: skip
    print(f"ready {listener.getsockname()[1]}", flush=True)  # noqa: T201 - who started us reads it
    uvicorn.Server(config).run(sockets=[listener])
    # Threads may still be in a statement of a client that is gone; the engine's parts are whole at any moment.
    os._exit(0)


if __name__ == "__main__":
    main()

"""The local ClickHouse server: ClickHouse's HTTP interface on loopback, over the embedded engine.

Run as ``python -m stack.clickhouse.server --path DIR --port N --secrets FILE``. It serves what clients of ClickHouse
use: the query in URL or body, data of inserts in the body, settings, ``param_*`` (in a form, when they are too long for
the URL), ``database``, ``default_format``, credentials in headers or URL, compressed bodies and answers, ClickHouse's
error codes, ``KILL QUERY`` by id. It has two users, the writer and the auditor, and holds the auditor to reading
(``stack.clickhouse.readonly``). Sessions, temporary and external tables, clusters and ClickHouse's native protocol it
has not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
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
from starlette.types import Receive

from stack.clickhouse.answer_headers import content_type, summary
from stack.clickhouse.arrow_answers import asked_as_bytes, with_texts
from stack.clickhouse.compressed import packed, unpacked
from stack.clickhouse.engine import Answer, Engine, Session
from stack.clickhouse.http_request import Call, call_of, plain_chunks, with_form
from stack.clickhouse.incoming import can_stream, pieces, read_statement, reads, text_of
from stack.clickhouse.refusals import Refusal
from stack.clickhouse.running import Running, Statement, killed_id
from stack.clickhouse.statement import output_format, quoted

_log = logging.getLogger("seamwatch.clickhouse")

# Statements that run at once; more wait their turn.
MAX_CONCURRENT: Final = 32


class Server:
    """Serves one engine to the users whose secrets it is given."""

    def __init__(self, engine: Engine, secrets: Mapping[str, str]) -> None:
        self._engine = engine
        self._secrets = secrets
        self._limiter = anyio.CapacityLimiter(MAX_CONCURRENT)
        # Ending a statement must not wait behind those that run.
        self._enders = anyio.CapacityLimiter(MAX_CONCURRENT)
        self._running = Running(engine.run)

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
        try:
            body = await pieces(request)
        except ClientDisconnect:
            return Response(status_code=499)
        chunks = plain_chunks(body, request.headers.get("content-encoding", ""))
        if call.body_packed:
            chunks = unpacked(chunks)
        try:
            statement = self._running.begin(call.query_id, call.user)
        except Refusal as refusal:
            return self._refused(refusal, call)
        asking = anyio.Event()  # set when the body is read, and is a query
        loop = asyncio.get_running_loop()

        def is_asking() -> None:
            loop.call_soon_threadsafe(asking.set)  # without waiting for it, as the thread would for anyio

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, request, statement, asking)
            try:
                answer = await anyio.to_thread.run_sync(
                    self._carry_out, call, chunks, statement, is_asking, limiter=self._limiter
                )
            except Refusal as refusal:
                answer = self._refused(refusal, call)
            except ClientDisconnect:
                answer = Response(status_code=499)
            tasks.cancel_scope.cancel()
        return answer

    async def _watch(self, request: Request, statement: Statement, asking: anyio.Event) -> None:
        """End a query when its client goes away before the answer; what writes is carried out all the same."""
        await asking.wait()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        await self._kill(statement)

    async def _kill(self, statement: Statement) -> None:
        await anyio.to_thread.run_sync(self._running.kill, statement, limiter=self._enders)

    def _carry_out(
        self, call: Call, chunks: Iterator[bytes], running: Statement, is_asking: Callable[[], None]
    ) -> Response:
        """Run a call in a worker thread. The session outlives this for as long as the answer is being sent."""
        kept = False
        session = self._session(running)
        try:
            if call.form:
                call, chunks = with_form(call, chunks), iter(())
            head, sql, data = read_statement(call.query, chunks)
            output = output_format(sql) or call.default_format
            if head is None:
                if reads(sql):
                    is_asking()
                if (query_id := killed_id(sql)) is not None and call.may_end:
                    return self._killed(call, session, query_id, output)
            streamed = head is None and can_stream(sql, output, call)
            as_bytes = asked_as_bytes(output, call.settings) if head is None else {}
            session.prepare(
                call.database, {**call.settings, **as_bytes}, call.parameters,
                auditor=call.auditor, reading=call.read_only == 1, held=not streamed, token=running.token,
            )  # fmt: skip
            if call.read_only:
                session.read_only(call.read_only)
            if head is not None:
                if call.read_only == 1:
                    raise Refusal(497, "ACCESS_DENIED", "INSERT is not among what may be used to read only")
                return self._answered(call, Answer(iter(()), written=session.insert(head, data)), "")
            text = text_of(sql)
            if call.read_only == 1:
                text = self._engine.readable(text, call.database, call.parameters, running.token)
            if not streamed:
                answer = session.held(text, output)
                if as_bytes:
                    answer.blocks = iter((with_texts(b"".join(answer.blocks), output),))
                return self._answered(call, answer, output)
            answer = session.streamed(text, output)
            kept = not answer.is_whole
            return self._streamed(call, session, answer, output, running)
        finally:
            if not kept:
                session.close()
                self._running.end(running)

    def _session(self, running: Statement) -> Session:
        try:
            return self._engine.session()
        except Refusal:
            self._running.end(running)
            raise

    def _killed(self, call: Call, session: Session, query_id: str, output: str) -> Response:
        found = self._running.named(query_id, call.user)
        if found is not None:
            self._running.kill(found)
        columns = f"'waiting' AS kill_status, {quoted(query_id)} AS query_id, {quoted(call.user)} AS user"
        return self._answered(call, session.held(f"SELECT {columns} WHERE {int(found is not None)}", output), output)

    def _answered(self, call: Call, answer: Answer, output: str) -> Response:
        body = b"".join(answer.blocks)
        headers = self._about(call, answer, output)
        return Response(b"".join(packed(body)) if call.packed else body, headers=headers)

    def _streamed(self, call: Call, session: Session, answer: Answer, output: str, running: Statement) -> Response:
        if answer.is_whole:
            return self._answered(call, answer, output)
        tag = token_hex(8)
        headers = self._about(call, answer, output) | {"X-ClickHouse-Exception-Tag": tag}
        return _Streamed(self._send(session, answer, tag, call.packed, running), headers, lambda: self._kill(running))

    async def _send(
        self, session: Session, answer: Answer, tag: str, pack: bool, running: Statement
    ) -> AsyncIterator[bytes]:
        blocks = answer.blocks
        try:
            while True:
                block = await anyio.to_thread.run_sync(next, blocks, b"", limiter=self._limiter)
                if not block:
                    return
                if pack:
                    for piece in packed(block):
                        yield piece
                else:
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
            self._running.end(running)

    def _about(self, call: Call, answer: Answer, output: str) -> dict[str, str]:
        headers = self._headers(call) | summary(answer)
        return headers | ({"X-ClickHouse-Format": output} if output else {}) | content_type(output)

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


class _Streamed(StreamingResponse):
    """An answer that is sent as it comes; ``gone`` is called when its client has gone away before the end."""

    def __init__(
        self, content: AsyncIterator[bytes], headers: Mapping[str, str], gone: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(content, headers=headers)
        self._gone = gone

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Return when the client is gone and its statement told to end: the thread in it is waited for."""
        await super().listen_for_disconnect(receive)
        await self._gone()


async def _ok(_request: Request) -> Response:
    return PlainTextResponse("Ok.\n")


def main() -> None:
    """Serve until SIGTERM or SIGINT. Prints ``ready <port>`` once it answers."""
    parser = argparse.ArgumentParser(prog="python -m stack.clickhouse.server", description=__doc__)
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
    # Connections inherit it, and asyncio would not set it on them: without it each answer waits 40 ms for the client's
    # delayed acknowledgement of its head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    options.path.mkdir(parents=True, exist_ok=True)
    engine = Engine(options.path, options.database)
    config = uvicorn.Config(
        Server(engine, secrets).app(), log_config=None, access_log=False, timeout_graceful_shutdown=3,
        timeout_keep_alive=60, server_header=False, lifespan="off", h11_max_incomplete_event_size=1024 * 1024,
    )  # fmt: skip
    with contextlib.suppress(OSError):  # its log may lie on a full disk
        print(f"ready {listener.getsockname()[1]}", flush=True)  # noqa: T201 - who started us reads it
    uvicorn.Server(config).run(sockets=[listener])
    # Threads may still be in a statement of a client that is gone; the engine's parts are whole at any moment.
    os._exit(0)


if __name__ == "__main__":
    main()

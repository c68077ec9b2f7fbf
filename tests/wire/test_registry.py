"""Confluent framing with a registry: ids are asked for once, unknown ones and a silent registry tell apart."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seamwatch.errors import UndecodableRecord, UnreachableError, UsageError
from seamwatch.testing import event_id, inference
from seamwatch.wire.codec import Codec
from seamwatch.wire.framing import CONFLUENT_MAGIC, confluent_header
from seamwatch.wire.registry import SchemaRegistry

RECORD = inference(event_id=event_id("e1")).record()


class Registry(ThreadingHTTPServer):
    """A registry in memory, with the calls it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.schemas: dict[int, str] = {}
        self.calls: list[str] = []

    @property
    def url(self) -> str:
        return f"http://user:secret@127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self.server.calls.append(self.path)
        found = self.server.schemas.get(int(self.path.rpartition("/")[2]))
        self.answer(200, {"schema": found}) if found else self.answer(404, {"error_code": 40403})

    def do_POST(self) -> None:
        self.server.calls.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        schema_id = len(self.server.schemas) + 100
        self.server.schemas[schema_id] = body["schema"]
        self.answer(200, {"id": schema_id})

    def answer(self, status: int, body: object) -> None:
        status = status if self.headers["Authorization"] == "Basic dXNlcjpzZWNyZXQ=" else 401
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def registry() -> Iterator[Registry]:
    server = Registry()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_our_schemas_are_registered_and_records_framed_by_their_ids(registry: Registry) -> None:
    writer = Codec(SchemaRegistry(registry.url))
    assert writer.encode("inference", RECORD)[:1] != CONFLUENT_MAGIC
    writer.publish_schemas()
    values = [writer.encode("inference", RECORD) for _ in range(3)]
    assert values[0][:5] == confluent_header(100)
    assert registry.calls[0] == "/subjects/seamwatch.inference/versions"

    reader, asked = Codec(SchemaRegistry(registry.url)), len(registry.calls)
    assert [reader.decode("inference", value)["event_id"] for value in values] == [event_id("e1")] * 3
    assert registry.calls[asked:] == ["/schemas/ids/100"]


def test_an_unknown_id_is_a_reason_and_asked_once(registry: Registry) -> None:
    reader = Codec(SchemaRegistry(registry.url))
    for _ in range(3):
        with pytest.raises(UndecodableRecord, match="unknown schema id 9: the registry"):
            reader.decode("inference", confluent_header(9) + b"x")
    assert registry.calls == ["/schemas/ids/9"]


def test_a_registry_that_does_not_answer_is_no_fault_of_the_record() -> None:
    reader = Codec(SchemaRegistry("http://127.0.0.1:1", timeout=1))
    with pytest.raises(UnreachableError, match="cannot be reached"):
        reader.decode("inference", confluent_header(9) + b"x")


def test_an_address_that_is_none_says_how_to_write_it() -> None:
    with pytest.raises(UsageError, match="write an address such as"):
        SchemaRegistry("registry:8081")

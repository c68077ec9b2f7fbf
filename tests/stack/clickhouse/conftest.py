"""A local ClickHouse server of our own, whatever store the other tests use."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from stack.clickhouse.process import ClickHouseServer
from stack.folder import DataFolder
from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> int | None:
        code = self.headers.get("x-clickhouse-exception-code")
        return None if code is None else int(code)


@dataclass(frozen=True)
class Local:
    """Asks the server as a plain HTTP client does."""

    host: str
    port: int
    passwords: Mapping[str, str]

    def ask(
        self,
        body: bytes | str | None,
        user: str = "writer",
        headers: Mapping[str, str] | None = None,
        url: Mapping[str, str] | None = None,
        **more: str,
    ) -> Reply:
        sent = {"X-ClickHouse-User": user, "X-ClickHouse-Key": self.passwords[user], **(headers or {})}
        data = body.encode() if isinstance(body, str) else body
        address = f"http://{self.host}:{self.port}/?{urllib.parse.urlencode({**(url or {}), **more})}"
        return fetch(urllib.request.Request(address, data, sent))


def fetch(request: urllib.request.Request) -> Reply:
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    with DataFolder(tmp_path_factory.mktemp("local")) as folder:
        server = ClickHouseServer(
            folder.path / "clickhouse", folder.logs, folder.secrets(), folder.port("clickhouse", None)
        )
        server.start()
        try:
            server.wait()
            yield Local("127.0.0.1", server.port, {user: folder.password(user) for user in ("writer", "auditor")})
        finally:
            server.stop()

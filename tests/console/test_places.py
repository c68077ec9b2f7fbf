"""A file is there whole or not at all, in a folder and in a bucket; what cannot be written to is named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from console.places import write_whole, writer_to
from seamwatch.errors import UnreachableError, UsageError


def test_a_file_in_a_folder_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    write = writer_to(str(tmp_path / "new" / "cards"))
    at = Path(write("lender.md", "one"))
    assert write("lender.md", "two") == str(at)
    assert at.read_text() == "two"
    assert list(at.parent.iterdir()) == [at]


def test_by_a_url_of_a_folder_it_is_the_same(tmp_path: Path) -> None:
    assert Path(writer_to(f"file://{tmp_path}")("a.md", "text")).read_text() == "text"


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "card.html"
    file.write_text("before")

    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("console.places.os.fsync", full)
    with pytest.raises(UnreachableError, match="No space left"):
        write_whole(file, "after")
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_other_places_are_refused_and_a_url_with_a_secret_is() -> None:
    with pytest.raises(UsageError, match="ftp"):
        writer_to("ftp://example.org/cards")
    with pytest.raises(UsageError, match="no secret") as refused:
        writer_to("s3://key:hidden@bucket/cards")
    assert "hidden" not in str(refused.value)


class _Bucket(BaseHTTPRequestHandler):
    """As much of S3's HTTP as putting an object takes: it is held once all of its parts are there."""

    held: dict[str, bytes]
    parts: list[bytes]
    refuse = False

    def do_PUT(self) -> None:
        self.parts.append(self._body())
        self._answer(200)

    def do_POST(self) -> None:
        self._body()
        if self.refuse:
            self._answer(403, "<Error><Code>AccessDenied</Code><Message>not yours</Message></Error>")
        elif self.path.endswith("uploads"):
            self._answer(200, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
        else:
            self.held[self.path.partition("?")[0]] = b"".join(self.parts)
            self._answer(200, "<CompleteMultipartUploadResult><ETag>t</ETag></CompleteMultipartUploadResult>")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def do_HEAD(self) -> None:
        self._answer(200 if self.path.strip("/") == "bucket" else 404)

    def do_GET(self) -> None:
        self._answer(200)

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("ETag", '"tag"')
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name in the standard library
        """Say nothing."""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[_Bucket]]]:
    """A bucket on this machine, its URL with what Arrow needs to reach it, and what it holds."""
    handler = type("Bucket", (_Bucket,), {"held": {}, "parts": [], "refuse": False})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    query = f"endpoint_override=127.0.0.1:{server.server_port}&scheme=http&region=example"
    yield f"s3://bucket/cards?{query}", handler
    server.shutdown()
    server.server_close()


def test_an_object_is_put_into_a_bucket(bucket: tuple[str, type[_Bucket]]) -> None:
    url, handler = bucket
    assert writer_to(url)("lender.md", "text of the card") == "s3://bucket/cards/lender.md"
    assert b"text of the card" in handler.held["/bucket/cards/lender.md"]


def test_a_bucket_that_refuses_is_named_without_a_secret(bucket: tuple[str, type[_Bucket]]) -> None:
    url, handler = bucket
    handler.refuse = True
    with pytest.raises(UnreachableError, match=r"s3://bucket/cards/lender\.md cannot be written") as refused:
        writer_to(url)("lender.md", "text")
    assert "hidden" not in str(refused.value)

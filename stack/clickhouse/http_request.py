"""One request of ClickHouse's HTTP interface, taken apart: who asks, what the URL sets, and the body's plain bytes.

Nothing here runs a statement.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import importlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import Message
from typing import Final, Protocol
from uuid import uuid4

from starlette.requests import Request

from stack.clickhouse.compressed import zstd
from stack.clickhouse.refusals import Refusal

# What the URL carries beside settings and parameters. The last group steers progress headers, sessions and buffering,
# none of which this server has: an answer is the same without them.
_OWN: Final = frozenset({"query", "database", "user", "password", "default_format", "query_id", "quota_key", "role"})
_WITHOUT_EFFECT: Final = frozenset(
    """
    session_id session_timeout session_check close_session wait_end_of_query http_wait_end_of_query buffer_size
    http_response_buffer_size enable_http_compression http_zlib_compression_level network_compression_method
    send_progress_in_http_headers http_headers_progress_interval_ms client_protocol_version stacktrace
    cancel_http_readonly_queries_on_client_close add_http_cors_header http_max_multipart_form_data_size
    http_send_timeout http_receive_timeout http_write_exception_in_output_format compress decompress
    """.split()
)


class Decompressor(Protocol):
    """What the decompressors of the standard library, lz4 and zstd have in common."""

    @property
    def unused_data(self) -> bytes:
        """What follows the end of the stream."""
        ...

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes:
        """The plain bytes of the next piece."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A request without its body. ``settings`` and ``parameters`` are texts as they arrived.

    ``packed`` asks for an answer in ClickHouse's compressed blocks, ``body_packed`` says that the body is in them.
    ``form`` is the content type of a body that is a form (`with_form`), empty for any other.
    """

    user: str
    query: str
    database: str | None
    default_format: str
    query_id: str
    settings: Mapping[str, str]
    parameters: Mapping[str, str]
    may_write: bool
    packed: bool = False
    body_packed: bool = False
    form: str = ""

    @property
    def auditor(self) -> bool:
        """Whether the user may only read."""
        return self.user != "writer"

    @property
    def read_only(self) -> int:
        """ClickHouse's ``readonly`` for it: 1 reads, and nothing else; 2 may change settings too; 0 is not read-only.

        A GET is 2 by ClickHouse's own rule. Raises Refusal where the request asks for another value.
        """
        asked = self.settings.get("readonly", "0")
        if asked not in ("0", "1", "2"):
            raise Refusal(72, "CANNOT_PARSE_NUMBER", f"readonly is 0, 1 or 2, and not {asked!r}")
        if self.auditor or asked == "1":
            return 1
        return 2 if asked == "2" or not self.may_write else 0

    @property
    def may_end(self) -> bool:
        """Whether it may end statements: an auditor those of auditors, which is no writing."""
        return self.may_write and (self.auditor or not self.read_only)


def call_of(request: Request, secrets: Mapping[str, str]) -> Call:
    """The call that a request makes. Raises Refusal when its credentials are not those of a user in ``secrets``."""
    url = request.query_params
    user = _authenticated(request, secrets)
    settings, parameters = {}, {}
    content = request.headers.get("content-type", "")
    for name, value in url.items():
        if name.startswith("param_"):
            parameters[name.removeprefix("param_")] = value
        elif name not in _OWN and name not in _WITHOUT_EFFECT:
            settings[name] = value
    return Call(
        user=user,
        query=url.get("query", ""),
        database=url.get("database") or request.headers.get("x-clickhouse-database"),
        default_format=url.get("default_format") or request.headers.get("x-clickhouse-format") or "TabSeparated",
        query_id=url.get("query_id") or str(uuid4()),
        settings=settings,
        parameters=parameters,
        may_write=request.method == "POST",
        packed=url.get("compress") == "1",
        body_packed=url.get("decompress") == "1",
        form=content if content.startswith("multipart/form-data") else "",
    )


def with_form(call: Call, chunks: Iterable[bytes]) -> Call:
    """The call with what its form holds: the query and parameters that are too long for a URL.

    Raises Refusal for any other field, such as the data of an external table.
    """
    head = f"MIME-Version: 1.0\r\nContent-Type: {call.form}\r\n\r\n"
    form = message_from_bytes(head.encode() + b"".join(chunks))
    query, parameters = call.query, dict(call.parameters)
    for field in form.get_payload() if form.is_multipart() else ():
        assert isinstance(field, Message)
        name, content = field.get_param("name", header="content-disposition"), field.get_payload(decode=True)
        assert isinstance(content, bytes)
        if name == "query":
            query += content.decode()
        elif isinstance(name, str) and name.startswith("param_"):
            parameters[name.removeprefix("param_")] = content.decode()
        else:
            raise Refusal(48, "NOT_IMPLEMENTED", f"Field {name!r} of a form is not served: only query and param_*")
    return replace(call, query=query, parameters=parameters)


def _authenticated(request: Request, secrets: Mapping[str, str]) -> str:
    user, password = "", ""
    scheme, _, basic = request.headers.get("authorization", "").partition(" ")
    if "x-clickhouse-user" in request.headers:
        user, password = request.headers["x-clickhouse-user"], request.headers.get("x-clickhouse-key", "")
    elif scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(basic, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = "?"
    elif "user" in request.query_params:
        user, password = request.query_params["user"], request.query_params.get("password", "")
    if not user:
        raise Refusal(
            194,
            "REQUIRED_PASSWORD",
            "Authentication failed: this server has the users writer and auditor, with secrets of their own"
            " (`seamwatch doctor` says where they are)",
        )
    expected = secrets.get(user)
    if not hmac.compare_digest(password.encode(), (expected or uuid4().hex).encode()) or expected is None:
        raise Refusal(
            516,
            "AUTHENTICATION_FAILED",
            f"{user}: Authentication failed: password is incorrect, or there is no user with such name",
        )
    return user


def plain_chunks(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The body's bytes without their Content-Encoding: gzip, deflate, lz4, zstd or none.

    Raises Refusal for another encoding, for bytes that are not in it, and for a stream that ends in the middle.
    """
    make = _decompressor(encoding)
    if make is None:
        yield from chunks
        return
    current: Decompressor | None = None
    try:
        for chunk in chunks:
            packed = chunk
            while packed:
                current = current or make()
                plain = current.decompress(packed)
                if plain:
                    yield plain
                # A body may be several frames, one after the other.
                packed = current.unused_data if current.eof else b""
                current = None if current.eof else current
    except (zlib.error, RuntimeError, ValueError, EOFError, zstd().ZstdError) as error:
        raise Refusal(354, "INCORRECT_DATA", f"The body is not {encoding}: {error}") from error
    if current is not None:
        raise Refusal(33, "CANNOT_READ_ALL_DATA", f"The body ends in the middle of its {encoding} stream")


def _decompressor(encoding: str) -> Callable[[], Decompressor] | None:
    match encoding.lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return _zlib
        case "lz4":
            return _lz4
        case "zstd":
            return _zstd_stream
    raise Refusal(
        48, "NOT_IMPLEMENTED", f"Content-Encoding {encoding!r} is not served: use gzip, deflate, lz4, zstd or none"
    )


def _zlib() -> Decompressor:
    return zlib.decompressobj(47)  # reads the headers of gzip and of deflate


def _lz4() -> Decompressor:
    stream: Decompressor = importlib.import_module("lz4.frame").LZ4FrameDecompressor()
    return stream


def _zstd_stream() -> Decompressor:
    stream: Decompressor = zstd().ZstdDecompressor()
    return stream

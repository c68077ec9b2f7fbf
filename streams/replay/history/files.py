"""Files of history: NDJSON, Avro container files and Parquet, each also through gzip, told by their first bytes.

Gives chunks of events for `streams.replay.history.gathering`. Nothing is read whole, except Avro and Parquet from what
cannot be read twice (gzip, standard input), which is unpacked into a temporary file first.
"""

from __future__ import annotations

import gzip
import io
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from seamwatch.errors import RecordError, UsageError
from streams.replay.chunk import Chunk
from streams.replay.history.ahead import ahead
from streams.replay.history.containers import avro_chunks
from streams.replay.history.json_lines import json_chunks
from streams.replay.history.parquet import parquet_chunks

CHUNK_BYTES = 4 * 1024 * 1024
_GZIP, _AVRO, _PARQUET = b"\x1f\x8b", b"Obj\x01", b"PAR1"

Complain = Callable[[RecordError], None]


def chunks_of_files(
    names: Iterable[str],
    complain: Complain,
    *,
    record_type: str | None = None,
    read: Callable[[int], None] = lambda _: None,
) -> Iterator[Chunk]:
    """The events of files (``-`` is standard input), chunk by chunk.

    What holds no event goes to ``complain``, with file and line or row. ``record_type`` is that of rows that do not
    say theirs. ``read`` is told how many bytes of the files have been read. Raises UsageError for a file that cannot
    be read at all.
    """
    before = 0
    for name in names:
        try:
            with _opened(name) as raw:
                stream = _unpacked(raw)
                for chunk in ahead(_chunks(stream, name, complain, record_type)):
                    read(before + _position(raw))
                    yield chunk
                before += _position(raw)
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(
                f"{name}: cannot be read: {reason}; give NDJSON, Avro or Parquet files, or - for standard input"
            ) from None


def _chunks(stream: IO[bytes], name: str, complain: Complain, record_type: str | None) -> Iterator[Chunk]:
    magic = _first_bytes(stream)
    if magic == _AVRO:
        yield from avro_chunks(stream, name, complain, record_type)
    elif magic == _PARQUET:
        file = _seekable(stream)
        try:
            yield from parquet_chunks(file, name, complain, record_type)
        finally:
            if file is not stream:
                file.close()
    else:
        # As many bytes, and on to the end of the line.
        parts = iter(lambda: stream.read(CHUNK_BYTES) + stream.readline(), b"")
        yield from json_chunks(parts, name, complain)


@contextmanager
def _opened(name: str) -> Iterator[io.BufferedReader]:
    if name == "-":
        stream = sys.stdin.buffer
        yield stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(cast(Any, stream))
        return
    with Path(name).open("rb") as file:
        yield file


def _unpacked(raw: io.BufferedReader) -> IO[bytes]:
    return io.BufferedReader(gzip.GzipFile(fileobj=raw)) if raw.peek(2)[:2] == _GZIP else raw


def _first_bytes(stream: IO[bytes]) -> bytes:
    return cast(io.BufferedReader, stream).peek(4)[:4]


def _position(raw: io.BufferedReader) -> int:
    return raw.tell() if raw.seekable() else 0


def _seekable(stream: IO[bytes]) -> IO[bytes]:
    if isinstance(stream, io.BufferedReader) and isinstance(stream.raw, io.FileIO) and stream.seekable():
        return stream
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever asked closes it
    try:
        shutil.copyfileobj(stream, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return cast(IO[bytes], file)

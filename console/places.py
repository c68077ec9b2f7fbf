"""Places that files are written to, whole or not at all: a folder, or a bucket by its URL (s3://, gs://, file://).

By Arrow's file systems, which find credentials as the providers' own tools do: none is ever in a command line of ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from seamwatch.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from types import TracebackType

BUCKETS: Final = ("s3", "gs", "gcs", "file")


def is_url(place: str) -> bool:
    """Whether a place is named by a URL."""
    return "://" in place


def writer_to(place: str) -> Callable[[str, str], str]:
    """A function that writes a text under a name at a place, and says where.

    Raises UsageError for a place that nothing can be written to; the function raises UnreachableError.
    """
    return _bucket(place) if is_url(place) else _folder(Path(place))


def write_whole(path: Path, text: str) -> None:
    """Write a file such that a reader finds what was there before, or all of this. Raises UnreachableError."""
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with staged.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise UnreachableError(f"{path} cannot be written: {error.strerror or error}") from None


def _folder(folder: Path) -> Callable[[str, str], str]:
    def write(name: str, text: str) -> str:
        write_whole(folder / name, text)
        return str(folder / name)

    return write


def _bucket(url: str) -> Callable[[str, str], str]:
    scheme = urlsplit(url).scheme
    if scheme not in BUCKETS:
        raise UsageError(f"nothing is written to {scheme}://: name a folder, or a bucket by {', '.join(BUCKETS)}")
    if urlsplit(url).password is not None:
        raise UsageError("a URL holds no secret here: give credentials as the provider's own tools take them")
    import pyarrow as pa
    from pyarrow import fs

    shown = url.partition("?")[0].rstrip("/")
    try:
        system, root = fs.FileSystem.from_uri(url)
    except (OSError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UsageError(f"{shown} cannot be used: {_brief(error)}") from None
    if isinstance(system, fs.LocalFileSystem):
        return _folder(Path(root))

    def write(name: str, text: str) -> str:
        try:
            # What is put into a bucket is there once all of it is, and not before.
            with _Put(system, f"{root}/{name}") as stream:
                stream.write(text.encode())
        except OSError as error:
            raise UnreachableError(f"{shown}/{name} cannot be written: {_brief(error)}") from None
        return f"{shown}/{name}"

    return write


class _Put:
    """An output stream that is closed, and so put, only where all was written."""

    def __init__(self, system: Any, path: str) -> None:
        self._stream = system.open_output_stream(path)

    def __enter__(self) -> Any:
        return self._stream

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._stream.close()


def _brief(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]

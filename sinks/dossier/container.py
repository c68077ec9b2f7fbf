"""The container: a zip file that is the same for the same content, and that says itself whether a byte of it changed.

Behind the zip's own end stands, as its comment, the SHA-256 of everything before. So a byte of what is no member's (a
name's flag, a time, a size) is found too. Nobody signs that: who packs the members anew can write another, and changes
nothing of what they say. What they say is for `sinks.dossier.seal` to vouch for.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from seamwatch.errors import ProofError, UsageError

_WORDS: Final = b"seamwatch dossier; sha256 of all before these words: "
_COMMENT: Final = re.compile(re.escape(_WORDS) + rb"([0-9a-f]{64})\n")
_LENGTH: Final = len(_WORDS) + 65
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_PIECE: Final = 1024 * 1024
_LONGEST: Final = 64 * 1024 * 1024
"""No record is as large; without a bound a file of one endless line would take all memory."""
_READABLE: Final = 0o644 << 16
_UNIX: Final = 3
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
)
"""What zipfile and zlib raise of a file that is not as one writes it."""


@dataclass(frozen=True, slots=True)
class Member:
    """What was written under a name."""

    name: str
    sha256: str
    size: int


class Packing:
    """Writes a container, member after member; a context manager. What it holds is complete after `finish`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def add(self, name: str, content: Iterable[bytes]) -> Member:
        """Write a member."""
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = _UNIX
        info.external_attr = _READABLE
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as member:
            for piece in content:
                member.write(piece)
                digest.update(piece)
                size += len(piece)
        return Member(name, digest.hexdigest(), size)

    def finish(self) -> None:
        """Write what says whether a byte of it changed."""
        self._zip.comment = b" " * _LENGTH
        self._zip.close()
        end = self._file.seek(0, 2) - _LENGTH
        digest = _digest_before(self._file, end)
        self._file.seek(end)
        self._file.write(_WORDS + digest.encode() + b"\n")


class Packed:
    """A container that is read; a context manager. ``is_as_packed`` is None where it was packed anew."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises UsageError for a file that cannot be read, ProofError for what is no whole zip file."""
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise UsageError(f"{path}: cannot be read as a dossier: {error.strerror}") from error
        try:
            self._zip = zipfile.ZipFile(self._file)
            self._members = self._listed()
        except _BROKEN as error:
            self._file.close()
            raise ProofError(f"the archive is no whole zip file: {error}") from error
        except ProofError:
            self._file.close()
            raise
        self.is_as_packed = self._is_as_packed()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()
        self._file.close()

    @property
    def names(self) -> list[str]:
        """The names of its members, in the order in which they are listed."""
        return list(self._members)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a member. Raises ProofError where there is none, or it cannot be unpacked."""
        try:
            with self._zip.open(self._members[name]) as member:
                while piece := member.read(_PIECE):
                    yield piece
        except _BROKEN as error:
            raise ProofError(f"{name}: cannot be unpacked: {_said(error)}") from error

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a member, each with its end. Raises as `pieces` does."""
        left = b""
        for piece in self.pieces(name):
            whole = (left + piece).split(b"\n")
            left = whole.pop()
            if len(left) > _LONGEST:
                raise ProofError(f"{name}: has a line of more than {_LONGEST} bytes")
            for each in whole:
                yield each + b"\n"
        if left:
            yield left

    def content(self, name: str, most: int) -> bytes:
        """The content of a member of so many bytes at most. Raises as `pieces` does, and for a larger one."""
        found = b""
        for piece in self.pieces(name):
            found += piece
            if len(found) > most:
                raise ProofError(f"{name}: is larger than {most} bytes")
        return found

    def digest(self, name: str, most: int) -> tuple[str, int]:
        """SHA-256 and size of a member; reads no further than so many bytes."""
        digest, size = hashlib.sha256(), 0
        for piece in self.pieces(name):
            digest.update(piece)
            size += len(piece)
            if size > most:
                break
        return digest.hexdigest(), size

    def _listed(self) -> dict[str, zipfile.ZipInfo]:
        found: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            if info.filename in found:
                raise ProofError(f"{info.filename}: is in the archive twice")
            found[info.filename] = info
        return found

    def _is_as_packed(self) -> bool | None:
        end = self._file.seek(0, 2) - _LENGTH
        self._file.seek(max(0, end))
        said = _COMMENT.fullmatch(self._file.read(_LENGTH))
        if said is None:
            # A tool that packs anew writes no comment; one that is there and says something else was changed.
            return None if self._zip.comment == b"" and self._ends_itself() else False
        return self._zip.comment == said[0] and said[1].decode() == _digest_before(self._file, end)

    def _ends_itself(self) -> bool:
        """Whether the file ends where the zip does."""
        self._file.seek(-22, 2)
        return self._file.read(4) == b"PK\x05\x06"


def _digest_before(file: IO[bytes], end: int) -> str:
    digest, left = hashlib.sha256(), end
    file.seek(0)
    while left:
        piece = file.read(min(_PIECE, left))
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


def _said(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__

"""The spool: events on disk while the broker is away, in order, bounded in size.

A spool is a folder of files, each owned by one process (it holds the file's lock). A process appends to its own
file; files whose owner is gone are adopted and drained first, so that what was spooled survives a restart. What is
written survives the end of the process, not the loss of the machine's power.

A file is ``SWSPOOL1``, then 8 bytes of where the first undelivered entry starts, then entries: length and CRC-32 of
the body (4 bytes each), then the body: lengths of topic, key and event id (2, 4 and 2 bytes), these three, and the
value. All numbers are big-endian. An entry cut short by a crash ends the file.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from seamwatch.sdk.delivery import Message
from seamwatch.wire.events import new_event_id

_MAGIC = b"SWSPOOL1"
_START = len(_MAGIC) + 8
_ENTRY = struct.Struct(">II")
_BODY = struct.Struct(">HIH")
_HEAD = struct.Struct(">Q")


class SpoolFile:
    """One file of a spool, locked while it is open."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        header = os.pread(descriptor, _START, 0)
        if not _MAGIC.startswith(header[: len(_MAGIC)]):
            # Whatever it is, it is none of ours to empty.
            raise OSError(errno.EINVAL, "this is no spool file", str(path))
        if len(header) < _START:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _MAGIC + _HEAD.pack(_START), 0)
            header = os.pread(descriptor, _START, 0)
        self.head: int = _HEAD.unpack(header[len(_MAGIC) :])[0]
        self.end = os.fstat(descriptor).st_size

    @property
    def size(self) -> int:
        """Bytes not delivered yet."""
        return self.end - self.head

    def append(self, messages: Iterable[Message]) -> None:
        """Write messages at the end; OSError when the disk does not take them, and then none of them is kept."""
        data = b"".join(_entry(message) for message in messages)
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self._descriptor, data[written:], self.end + written)
        except OSError:
            os.ftruncate(self._descriptor, self.end)
            raise
        self.end += len(data)

    def read(self, limit: int) -> tuple[list[Message], int]:
        """At most ``limit`` messages from the head, and the head behind them."""
        messages: list[Message] = []
        at = self.head
        while len(messages) < limit and at < self.end:
            frame = os.pread(self._descriptor, _ENTRY.size, at)
            length, checksum = _ENTRY.unpack(frame) if len(frame) == _ENTRY.size else (0, 0)
            body = os.pread(self._descriptor, length, at + _ENTRY.size) if length else b""
            if not body or len(body) < length or zlib.crc32(body) != checksum:
                # Cut short by a crash: nothing behind it was ever whole.
                os.ftruncate(self._descriptor, at)
                self.end = at
                break
            messages.append(_message(body))
            at += _ENTRY.size + length
        return messages, at

    def count(self) -> int:
        """How many messages are not delivered yet, as far as their lengths tell."""
        entries, at = 0, self.head
        while at + _ENTRY.size < self.end:
            at += _ENTRY.size + _ENTRY.unpack(os.pread(self._descriptor, _ENTRY.size, at))[0]
            entries += 1
        return entries

    def advance(self, head: int) -> None:
        """Everything before ``head`` is delivered; a file with nothing left gives its space back."""
        self.head = head
        if head >= self.end:
            os.ftruncate(self._descriptor, _START)
            self.head = self.end = _START
        # On a full disk it may not be kept how far it is: after a crash some is then sent again, under the same ids.
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, _HEAD.pack(self.head), len(_MAGIC))

    def let_go(self) -> None:
        """Close the file and leave it as it is."""
        os.close(self._descriptor)

    def close(self) -> None:
        """Close the file; one with nothing left in it is removed."""
        if not self.size:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class Left:
    """What one file still holds: undelivered events and bytes, since when (micros), and whether its owner lives.

    ``events`` is None for a file that cannot be read.
    """

    path: Path
    events: int | None
    size: int
    since: int
    owned: bool


def left_in(folder: Path) -> tuple[Left, ...]:
    """What the files of a folder hold, oldest first; looks only, and takes nothing over."""
    return tuple(left for path in sorted(folder.glob("*.spool")) if (left := _left(path)) is not None)


def _left(path: Path) -> Left | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError:
        return Left(path, None, 0, 0, owned=False)
    try:
        status = os.fstat(descriptor)
        if status.st_size <= _START:
            return None
        file = SpoolFile(path, descriptor)
        events = file.count()
        return Left(path, events, file.size, _born(path, status), _is_locked(descriptor)) if events else None
    except OSError:
        return Left(path, None, 0, 0, owned=False)
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        # Shared, and let go of at once: an owner that comes just now finds it free a moment later.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _born(path: Path, status: os.stat_result) -> int:
    """When the file was begun: its name is a UUIDv7, which says."""
    try:
        return (UUID(path.stem).int >> 80) * 1_000
    except ValueError:
        return status.st_mtime_ns // 1_000


class Spool:
    """The files of one folder that this process owns, oldest first; the last is its own.

    ``limit`` bounds their undelivered bytes. Not for several threads at once.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._files: list[SpoolFile] = []

    def __bool__(self) -> bool:
        return any(file.size for file in self._files)

    @property
    def size(self) -> int:
        """Bytes not delivered yet."""
        return sum(file.size for file in self._files)

    def adopt(self) -> int:
        """Take over the files whose owner is gone; returns how many messages they hold."""
        owned = {file.path for file in self._files}
        adopted = 0
        for path in sorted(self._folder.glob("*.spool")):
            file = None if path in owned else _opened(path)
            if file is not None:
                adopted += file.count()
                self._files.append(file)
        self._files.sort(key=lambda file: file.path.name)
        return adopted

    def append(self, messages: list[Message]) -> bool:
        """Keep messages on disk; False when they would exceed the limit or the disk does not take them."""
        if self.size + sum(len(message.value) for message in messages) > self._limit:
            return False
        try:
            if not self._files:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                path = self._folder / f"{new_event_id()}.spool"
                file = _opened(path)
                if file is None:
                    # A full disk may take the name of a file and nothing in it: not one more with every try.
                    path.unlink(missing_ok=True)
                    return False
                self._files.append(file)
            self._files[-1].append(messages)
        except OSError:
            return False
        return True

    def read(self, limit: int) -> tuple[list[Message], SpoolFile | None, int]:
        """At most ``limit`` of the oldest messages, their file and its head behind them."""
        for file in self._files:
            messages, head = file.read(limit)
            if messages:
                return messages, file, head
        return [], None, 0

    def let_go(self) -> None:
        """Close all files and leave them as they are: for a child after a fork, whose parent they belong to."""
        for file in self._files:
            file.let_go()
        self._files.clear()

    def close(self) -> None:
        """Close all files; those with nothing left in them are removed."""
        for file in self._files:
            file.close()
        self._files.clear()


def _opened(path: Path) -> SpoolFile | None:
    """The file, locked; None when another process owns it, or it is gone."""
    descriptor = -1
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Its owner may have removed it between our opening and our locking it.
        if os.fstat(descriptor).st_nlink:
            return SpoolFile(path, descriptor)
    except OSError:
        pass
    if descriptor >= 0:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    return None


def _entry(message: Message) -> bytes:
    topic, event_id = message.topic.encode(), message.event_id.encode()
    head = _BODY.pack(len(topic), len(message.key), len(event_id))
    body = b"".join((head, topic, message.key, event_id, message.value))
    return _ENTRY.pack(len(body), zlib.crc32(body)) + body


def _message(body: bytes) -> Message:
    topic, key, event_id = _BODY.unpack_from(body)
    at = _BODY.size
    ends = (at + topic, at + topic + key, at + topic + key + event_id)
    return Message(
        topic=body[at : ends[0]].decode(),
        key=body[ends[0] : ends[1]],
        event_id=body[ends[1] : ends[2]].decode(),
        value=body[ends[2] :],
    )

"""The data folder of a running system: held by one process at a time, with its secrets and what it runs.

<data>/lock              flock of the process that holds the folder; its text names it
<data>/run.json          addresses and processes of what runs, mode 0600, gone when it ends in order
<data>/netrc             who may read the store, for curl and the like, mode 0600, gone with run.json
<data>/secrets.json      passwords of the local ClickHouse's users, mode 0600, made once
<data>/ports.json        the ports used last, taken again when they are free
<data>/kafka, clickhouse, logs
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from seamwatch.errors import LocalStackError

USERS: Final = ("writer", "auditor")

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says when a disk, or one's share of it, is full."""


@dataclass(slots=True)
class DataFolder:
    """A data folder, held from ``hold`` to ``release`` (or as a context manager)."""

    path: Path
    _lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.hold()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @property
    def logs(self) -> Path:
        """Where the servers' and the stages' logs go."""
        return self.path / "logs"

    def hold(self) -> None:
        """Take the folder for this process; the system frees it however the process ends.

        Raises LocalStackError that names the process which holds it, or why it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.logs.mkdir(exist_ok=True)
            lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise LocalStackError(
                f"The data folder {self.path} cannot be written ({error.strerror}): name another with --data"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            lock.close()
            raise LocalStackError(
                f"The data folder {self.path} is held by {holder}: end that one, or name another folder with --data"
            ) from None
        self._lock = lock
        # Who is refused is told who holds the folder, if there is room to say so: the lock itself needs none.
        with contextlib.suppress(OSError):
            lock.truncate(0)
            lock.write(f"process {os.getpid()} ({' '.join(Path(sys.argv[0]).name.split() + sys.argv[1:2])})\n")
            lock.flush()

    def release(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            with contextlib.suppress(OSError):
                self._lock.truncate(0)
            with contextlib.suppress(OSError):  # what could not be flushed to a full disk
                self._lock.close()
            self._lock = None

    def secrets(self) -> Path:
        """The file with the passwords of the local ClickHouse's users, made on the first call."""
        path = self.path / "secrets.json"
        if not path.exists():
            write_private(path, {user: secrets.token_urlsafe(18) for user in USERS})
        return path

    def password(self, user: str) -> str:
        """The password of one of ``USERS``."""
        return str(json.loads(self.secrets().read_text())[user])

    def port(self, name: str, chosen: int | None) -> int:
        """A free port on loopback: the chosen one, else the one used last, else any.

        Raises LocalStackError when the chosen one is taken.
        """
        if chosen is not None:
            if not is_free(chosen):
                raise LocalStackError(
                    f"Port {chosen}, set for {name}, is taken by another program: set another, or none"
                )
            return chosen
        path = self.path / "ports.json"
        used: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError):
            used = json.loads(path.read_text())
        port = used.get(name)
        if port is None or not is_free(port):
            with socket.create_server(("127.0.0.1", 0)) as listener:
                port = int(listener.getsockname()[1])
        write_private(path, {**used, name: port})
        return port


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that only this user may read, whole or not at all. Raises LocalStackError when it cannot be."""
    write_private_text(path, json.dumps(content, indent=2) + "\n")


def write_private_text(path: Path, text: str) -> None:
    """Write text that only this user may read, whole or not at all. Raises LocalStackError when it cannot be."""
    staged = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> LocalStackError:
    """Our error for a file of the data folder that cannot be written."""
    remedy = "make room, or name another folder with --data" if error.errno in NO_ROOM else "name another with --data"
    return LocalStackError(f"{path} cannot be written ({error.strerror or error}): {remedy}")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there."""
    try:
        # With SO_REUSEADDR, as servers do: a port in TIME_WAIT is free.
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError:
        return False
    return True

"""Listening: the socket on which a process of ours takes requests. What it answers is the process's."""

from __future__ import annotations

import socket
from typing import Final

from seamwatch.errors import UsageError

_BACKLOG: Final = 2_048


def listen(host: str, port: int, settings: str) -> socket.socket:
    """A socket that listens; ``settings`` is how the variables of host and port begin.

    Raises UsageError when the address is taken, or none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UsageError(f"{settings}_HOST={host}, {settings}_PORT={port}: {error.strerror}; name others") from None
    listening.listen(_BACKLOG)
    return listening

"""Somebody who speaks TLS in front of a store that does not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.waiting import PATIENCE


@contextlib.contextmanager
def encrypting(url: str, certificate: Path) -> Iterator[str]:
    """The store of a URL, behind TLS with this key and certificate; its URL there, without what to check it by."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    parts = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    passing: list[threading.Thread] = []

    def serve(plain: socket.socket) -> None:
        try:
            client = context.wrap_socket(plain, server_side=True)
        except (ssl.SSLError, OSError):
            plain.close()
            return
        _pass_on(client, socket.create_connection((str(parts.hostname), int(parts.port or 0))))

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            passing.append(threading.Thread(target=serve, args=(plain,)))
            passing[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    account = parts.netloc.rpartition("@")[0]
    try:
        yield urlunsplit(parts._replace(scheme="https", netloc=f"{account}@127.0.0.1:{listener.getsockname()[1]}"))
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (accepting, *passing):
            thread.join(PATIENCE)


def _pass_on(client: ssl.SSLSocket, server: socket.socket) -> None:
    """Answers by a thread of their own, until one side has ended; closes both."""

    def copy(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    answers = threading.Thread(target=copy, args=(server, client))
    answers.start()
    copy(client, server)
    answers.join()
    client.close()
    server.close()

"""Kills a recorder at a step that is named, not at an instant of chance: right before a request, or before its answer.

A step is a request of the recorder to the store, told by what is in it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Final

from tests.sinks.estate import ROOT, Estate, Proxy, committed
from tests.waiting import PATIENCE, wait_for

STEPS: Final = {
    "claim": b"INSERT INTO ledger_claim",
    "look at the claims": b"FROM ledger_claim WHERE",
    "positions": b"FROM ledger_commit",
    "intent": b"INSERT INTO ledger_intent",
    "block": b"INSERT INTO inference",
    "dead letters": b"INSERT INTO dead_letter",
    "tiles": b"INSERT INTO ledger_tile",
    "checkpoint": b"INSERT INTO checkpoint",
    "commit": b"INSERT INTO ledger_commit",
}

# Imports once and then forks a recorder for each line of input, a store's URL: starting is a matter of milliseconds.
_NURSERY = """
import os, sys
from seamwatch.settings import load_settings
from sinks.record.stage import run
for line in sys.stdin:
    child = os.fork()
    if not child:
        os.dup2(2, 1)  # its log is not for our reader
        os.environ["CLICKHOUSE_URL"] = line.strip()
        run(load_settings())
        os._exit(0)
    print(child, flush=True)
"""


class StopAt(Proxy):
    """Lets requests through until one has ``mark`` in it: then the victim is killed, before it or before its answer."""

    def __init__(self, url: str, mark: bytes, *, answered: bool) -> None:
        self._mark = mark
        self._answered = answered
        self._sent = False
        self.victim = 0
        self.killed = threading.Event()
        super().__init__(url)

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        super()._pump(_Heard(source, self, answers=answers), sink, answers)  # type: ignore[arg-type]

    def heard(self, data: bytes, *, answers: bool) -> bytes:
        """What is passed on of what came; nothing once the victim is dead."""
        if not answers and self._mark in data.replace(b"`", b"").replace(b"+", b" ").replace(b"%20", b" "):
            self._sent = True
            if not self._answered:
                self._kill()
        elif answers and self._sent:
            self._kill()
        return b"" if self.killed.is_set() else data

    def _kill(self) -> None:
        if not self.killed.is_set():
            os.kill(self.victim, signal.SIGKILL)
            self.killed.set()


class _Heard:
    """A socket whose bytes are heard before they are passed on."""

    def __init__(self, source: socket.socket, by: StopAt, *, answers: bool) -> None:
        self._source, self._by, self._answers = source, by, answers

    def recv(self, size: int) -> bytes:
        return self._by.heard(self._source.recv(size), answers=self._answers)

    def shutdown(self, how: int) -> None:
        self._source.shutdown(how)

    def close(self) -> None:
        self._source.close()


class Nursery:
    """Starts recorders of an estate, each to be killed."""

    def __init__(self, own: Estate, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY],
            env={**own.environment, "SEAMWATCH_INSTANCE": "a", **environment},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, url: str) -> int:
        """A recorder that knows the store by this URL; its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(url, file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it; the recorders that it started are to be killed before."""
        self._process.communicate()


def killed_at(own: Estate, nursery: Nursery, mark: bytes, *, answered: bool, events: int) -> None:
    """Kill a recorder at that step, and have another one go on, until all ``events`` records are committed."""
    proxy = StopAt(own.url, mark, answered=answered)
    proxy.victim = nursery.start(proxy.url)
    try:
        assert proxy.killed.wait(PATIENCE), f"no request has {mark!r}"
    finally:
        proxy.close()
    following = nursery.start(own.url)
    try:
        wait_for(lambda: committed(own) >= events, "going on")
    finally:
        os.kill(following, signal.SIGKILL)

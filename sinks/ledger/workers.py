"""Workers: pieces of the record checked side by side, each process with a connection and a decoder of its own.

Hashing is row by row in Python, which one process does on one core only. The results come in the order of the pieces,
and no more than a few are ever under way, so memory does not grow with the record.
"""

from __future__ import annotations

import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Final, Self

from seamwatch.errors import SeamwatchError, StageError, StoreError, UnreachableError
from sinks.blocks import Decode
from sinks.ledger.checking import Checked, Piece, check
from sinks.store import Store

MakeDecode = Callable[[], Decode]
"""Makes the decoding; goes to another process, so it must be picklable."""

_FEW: Final = 4
"""Up to so many pieces are not worth a process, which takes a second to start."""
_AHEAD: Final = 2


class Workers:
    """Checks pieces in ``count`` processes, started when there is enough to do. A context manager that ends them."""

    def __init__(self, url: str, make_decode: MakeDecode, count: int) -> None:
        self._url = url
        self._make_decode = make_decode
        self._count = count
        self._running: list[tuple[BaseProcess, Connection]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process, connection in self._running:
            connection.close()
            process.terminate()
            process.join()
        self._running = []

    def __call__(self, pieces: Iterable[Piece]) -> Iterator[Checked]:
        """What the pieces hold, in their order. Raises UnreachableError or StoreError when they cannot be read."""
        left = iter(pieces)
        first = list(islice(left, _FEW + 1))
        if len(first) <= _FEW or self._count < 2:
            yield from self._here(chain(first, left))
            return
        connections = cycle(self._started())
        waiting: deque[Connection] = deque()
        for piece in chain(first, left):
            connection = next(connections)
            connection.send(piece)
            waiting.append(connection)
            if len(waiting) > _AHEAD * self._count:
                yield _received(waiting.popleft())
        while waiting:
            yield _received(waiting.popleft())

    def _here(self, pieces: Iterable[Piece]) -> Iterator[Checked]:
        decode = self._make_decode()
        with Store(self._url, timeout=600) as store:
            for piece in pieces:
                yield check(store, decode, piece)

    def _started(self) -> list[Connection]:
        context = get_context("spawn")
        while len(self._running) < self._count:
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, self._url, self._make_decode), daemon=True)
            process.start()
            theirs.close()
            self._running.append((process, ours))
        return [connection for _, connection in self._running]


def _received(connection: Connection) -> Checked:
    try:
        answer = connection.recv()
    except EOFError as error:
        raise StageError("a process of the verification ended early: is there enough memory?") from error
    if isinstance(answer, Exception):
        raise answer
    assert isinstance(answer, Checked)
    return answer


def _serve(connection: Connection, url: str, make_decode: MakeDecode) -> None:
    """Check what comes until nothing more does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this ends it
    decode = make_decode()
    with Store(url, timeout=600) as store:
        while True:
            try:
                piece = connection.recv()
            except EOFError:
                return
            connection.send(_answer(store, decode, piece))


def _answer(store: Store, decode: Decode, piece: Piece) -> Checked | Exception:
    try:
        return check(store, decode, piece)
    except UnreachableError as error:
        return UnreachableError(str(error))
    except SeamwatchError as error:
        return StoreError(str(error))  # of the tree, and one that can be pickled
    except Exception:  # noqa: BLE001 - raised where the answer is read
        return StageError(f"a process of the verification failed:\n{traceback.format_exc()}")

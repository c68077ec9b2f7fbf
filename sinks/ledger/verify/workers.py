"""Workers: chunks of the record checked side by side, each worker with a connection and a decoder of its own.

Hashing is row by row in Python, which one process does on one core only, so workers are processes; on few processors
one is a thread of this process, which has started already and else waits. The results come in the order of the
chunks, and no more than a few are ever under way, so memory does not grow with the record.
"""

from __future__ import annotations

import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from types import TracebackType
from typing import Final, Self

from seamwatch.errors import SeamwatchError, StageError, StoreError, UnreachableError
from sinks.decoding import Decode
from sinks.ledger.verify.checking import Checked, Chunk, check
from sinks.store.client import Store

MakeDecode = Callable[[], Decode]
"""Makes the decoding; goes to another process, so it must be picklable."""

Worker = Callable[[Chunk], Checked]
"""Checks one chunk at a time; in whichever thread, but in one at a time."""

_FEW: Final = 4
"""Up to so many chunks are not worth a process, which takes a second to start: two threads share them."""
_AHEAD: Final = 2
_OF_FEW: Final = 4
"""On up to so many processors this process checks too; beyond, growing the trees takes all that it has."""


class Workers:
    """Checks chunks in ``count`` workers, started when there is enough to do. A context manager that ends them."""

    def __init__(self, url: str, make_decode: MakeDecode, count: int) -> None:
        self._url = url
        self._make_decode = make_decode
        self._count = count
        self._running: list[tuple[BaseProcess, Connection]] = []
        self._threads: list[Worker] = []
        self._stores = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process, connection in self._running:
            process.terminate()
            process.join()
            connection.close()
        self._running = []
        self._threads = []
        self._stores.close()

    def __call__(self, chunks: Iterable[Chunk]) -> Iterator[Checked]:
        """What the chunks hold, in their order. Raises UnreachableError or StoreError when they cannot be read."""
        left = iter(chunks)
        first = list(islice(left, _FEW + 1))
        if len(first) < 2 or self._count < 2:
            (worker,) = self._of_this_process(1)
            yield from map(worker, chain(first, left))
            return
        if len(first) <= _FEW:
            workers = self._of_this_process(2)
        else:
            workers = [*self._processes(), *self._of_this_process(int(self._count <= _OF_FEW))]
        yield from _side_by_side(workers, chain(first, left))

    def _of_this_process(self, count: int) -> Sequence[Worker]:
        """Workers that are threads of this process; they keep their connections, which cost as much as a chunk does."""
        while len(self._threads) < count:
            store = self._stores.enter_context(Store(self._url, timeout=600, reading=True))
            self._threads.append(partial(check, store, self._make_decode()))
        return self._threads[:count]

    def _processes(self) -> list[Worker]:
        context = get_context("spawn")
        while len(self._running) < self._count - (self._count <= _OF_FEW):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, self._url, self._make_decode), daemon=True)
            process.start()
            theirs.close()
            self._running.append((process, ours))
        return [partial(_asked, connection) for _, connection in self._running]


def _side_by_side(workers: Sequence[Worker], chunks: Iterable[Chunk]) -> Iterator[Checked]:
    idle: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def checked(chunk: Chunk) -> Checked:
        worker = idle.get()
        try:
            return worker(chunk)
        finally:
            idle.put(worker)

    threads = ThreadPoolExecutor(len(workers))
    try:
        waiting: deque[Future[Checked]] = deque()
        for chunk in chunks:
            waiting.append(threads.submit(checked, chunk))
            if len(waiting) > _AHEAD * len(workers):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(cancel_futures=True)


def _asked(connection: Connection, chunk: Chunk) -> Checked:
    try:
        connection.send(chunk)
        answer = connection.recv()
    except (EOFError, OSError) as error:
        raise StageError("a process of the verification ended early: is there enough memory?") from error
    if isinstance(answer, Exception):
        raise answer
    assert isinstance(answer, Checked)
    return answer


def _serve(connection: Connection, url: str, make_decode: MakeDecode) -> None:
    """Check what comes until nothing more does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this ends it
    decode = make_decode()
    with Store(url, timeout=600, reading=True) as store:
        while True:
            try:
                chunk = connection.recv()
            except EOFError:
                return
            connection.send(_answer(store, decode, chunk))


def _answer(store: Store, decode: Decode, chunk: Chunk) -> Checked | Exception:
    try:
        return check(store, decode, chunk)
    except UnreachableError as error:
        return UnreachableError(str(error))
    except SeamwatchError as error:
        return StoreError(str(error))  # of the tree, and one that can be pickled
    except Exception:  # noqa: BLE001 - raised where the answer is read
        return StageError(f"a process of the verification failed:\n{traceback.format_exc()}")

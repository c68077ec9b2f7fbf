"""Reading many files: as `reading` reads each of them, in several processes where that is allowed and worth it.

Looks into no document: what each says is `loading`'s.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Final

from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Written, read_file

MANY: Final = 1_000
"""Files from which on processes of their own are worth their start."""
_AT_ONCE: Final = 50


def read_files(paths: Sequence[Path], *, forks: bool = False) -> Iterator[tuple[list[Written], list[Problem]]]:
    """What each file holds, and what is wrong with its YAML, in the order of the files.

    ``forks``: with `MANY` files or more, share the work among this machine's processors by forking this process. Only
    a command that owns its process asks for that; while it has other threads it is not done, as a fork may then
    inherit a lock that nobody gives back. Forks that are ended from outside cost time, and no file.
    """
    read = 0
    if forks and len(paths) >= MANY and (processors := _processors()) > 1 and _forks_safely():
        # Copies of what there is in this process, so that none has to import or be told anything.
        pool = ProcessPoolExecutor(processors, mp_context=get_context("fork"))
        with contextlib.suppress(BrokenProcessPool), pool:
            for found in pool.map(_read, paths, chunksize=_AT_ONCE):
                yield found
                read += 1
    for path in paths[read:]:
        yield _read(path)


def _read(path: Path) -> tuple[list[Written], list[Problem]]:
    return read_file(path, str(path))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _forks_safely() -> bool:
    if "fork" not in get_all_start_methods() or threading.active_count() > 1:
        return False
    threads = Path("/proc/self/task")  # those that libraries started; where they cannot be counted, none is trusted
    return threads.is_dir() and len(list(threads.iterdir())) == 1

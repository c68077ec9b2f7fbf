"""What goes on while something starts: one changing line on a terminal, plain lines elsewhere. Always on stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Gives what takes one short line at a time, each in place of the one before."""
    if not sys.stderr.isatty():
        started = time.monotonic()
        yield lambda line: print(f"[{time.monotonic() - started:5.1f} s] {line}", file=sys.stderr, flush=True)
        return
    from rich.console import Console

    from seamwatch.printable import unguarded

    with Console(file=unguarded(sys.stderr)).status("starting") as status:
        yield status.update

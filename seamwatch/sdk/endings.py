"""Endings: has something done when this process ends, by whatever way Python processes end in order.

A process that was started by itself, and a worker of Gunicorn, runs `atexit`. A child of `multiprocessing` (and so of
`concurrent.futures`) ends by ``os._exit`` after its own finalizers, and a worker of Celery by ``os._exit`` after a
signal of Celery's: neither runs `atexit`. What ends by a kill runs nothing; `seamwatch.sdk.tally` counts what is lost
then. Nothing is imported that the process does not use.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from typing import Any

_BEFORE_JOINING = 10
"""multiprocessing runs finalizers of a priority of at least 0 before it waits for the process's own children."""


def at_end(act: Callable[[], object]) -> None:
    """Have ``act`` called when this process ends; more than once, maybe. To be called again after a fork."""
    atexit.register(act)
    if "multiprocessing.util" in sys.modules:
        from multiprocessing.util import register_after_fork

        _finalize(act)
        # A child forgets all finalizers when it begins: those of its parent, and those of what it imported first.
        register_after_fork(act, _finalize)
    celery = sys.modules.get("celery.signals")
    if celery is not None:

        def ending(**_: Any) -> None:
            act()

        # Celery holds receivers weakly unless told otherwise.
        celery.worker_process_shutdown.connect(ending, weak=False)


def _finalize(act: Callable[[], object]) -> None:
    from multiprocessing.util import Finalize

    Finalize(None, act, exitpriority=_BEFORE_JOINING)

"""The cycle collector, told to be in no hurry: what stages, replays and documents make is seldom part of a cycle."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def unhurried_collector() -> Iterator[None]:
    """Let it run seldom meanwhile: it would walk a batch's values over and over, and free none."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)

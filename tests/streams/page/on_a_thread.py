"""Runs a pager's coroutine to its end on the thread that calls it, and leaves nothing of it to be found later."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Coroutine
from typing import Any


def run_to_the_end(main: Coroutine[Any, Any, None]) -> None:
    """As asyncio.run, for what runs Faust. Raises what ``main`` raises."""
    try:
        asyncio.run(main)
    finally:
        # A pager gives its group a few seconds to let it go and then ends, as its process would, with connections still
        # open. Here the process goes on: whichever test runs when they are collected would be told of them.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

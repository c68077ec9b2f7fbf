"""A chunk: some events of one record type, as histories are read and judged. A type only."""

from __future__ import annotations

import polars as pl

Chunk = tuple[str, pl.DataFrame]
"""Events of one record type in input order, with all its columns."""

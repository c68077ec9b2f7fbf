"""Naming: the first few of many names, and how many more there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_FEW: Final = 5


def some_of(names: Sequence[str]) -> str:
    """All of a few names, else the first five and how many more: ``a, b, c, d, e and 1,995 more``."""
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more

"""Naming: the first few of many names, how many more there are, and how many there are of a thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_FEW: Final = 5


def some_of(names: Sequence[str]) -> str:
    """All of a few names, else the first five and how many more: ``a, b, c, d, e and 1,995 more``."""
    more = f" and {len(names) - _FEW:,} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def counted(count: int, thing: str) -> str:
    """How many of a thing, in words: ``1 warning``, ``2,000 warnings``."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"

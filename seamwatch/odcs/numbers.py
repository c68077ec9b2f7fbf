"""Numbers: as documents have them, or as the text that spreadsheets and their importers make of them."""

from __future__ import annotations

import re
from typing import Any, Final

_WRITTEN: Final = re.compile(r"\s*([-+]?[0-9]{1,15}(\.[0-9]{1,15})?)\s*")


def number_of(value: Any) -> int | float | None:
    """The number that a value is, or that its text writes in plain digits; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    return float(found[1]) if found[2] else int(found[1])

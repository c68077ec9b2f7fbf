"""The agreed numbers: on which side of them a number lies, and which one it breaks. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Bounds(NamedTuple):
    """Fewest and most, as in the clause; None where there is no such bound."""

    min: int | None
    max: int | None

    def side(self, number: int) -> int:
        """-1 below, 1 above, 0 within."""
        if self.min is not None and number < self.min:
            return -1
        return 1 if self.max is not None and number > self.max else 0

    def limit(self, number: int) -> tuple[int, str]:
        """The bound that a number outside breaks, and whether it is the least or the most."""
        if self.min is not None and number < self.min:
            return self.min, "least"
        assert self.max is not None
        return self.max, "most"

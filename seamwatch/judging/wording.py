"""Times, shares and numbers in the words of the person who is woken.

Formatting only; durations are in `seamwatch.durations`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime


def moment_text(micros: int) -> str:
    """An event time to the second: ``2026-11-02 14:05:09 UTC``."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def millis_text(micros: int) -> str:
    """A time to the millisecond, UTC, without saying so: ``2026-11-02 14:05:09.031``."""
    shown = datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{shown}.{micros % 1_000_000 // 1_000:03d}"


def share_text(share: float) -> str:
    """A share as percent, with as many places as it needs to differ from 0 and 1: ``4.2 %``, ``0.03 %``."""
    percent = share * 100
    for places in (0, 1, 2, 3):
        shown = f"{percent:.{places}f}"
        if places == 3 or (abs(float(shown) - percent) <= 0.05 * min(percent, 100 - percent)):
            return f"{shown} %"
    raise AssertionError("unreachable")


def number_text(value: float | None) -> str:
    """A number without noise: ``12``, ``0.73``, ``1.5e+09``; ``no value`` for None."""
    return "no value" if value is None else f"{value:.6g}"


def left_out_text(numbers: Sequence[int], reasons: Sequence[str]) -> str:
    """What an estimate does not rest on, in words to stand after it: `` (12 more left out: 12 without a score)``.

    ``reasons`` are those of the numbers in turn; "" where nothing was left out.
    """
    told = [f"{number:,} {why}" for number, why in zip(numbers, reasons, strict=False) if number]
    return f" ({sum(numbers):,} more left out: {', '.join(told)})" if told else ""

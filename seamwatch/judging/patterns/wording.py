"""Times, shares and numbers in the words of the person who is woken.

Formatting only; durations are in `seamwatch.durations`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

_DIGITS: Final = 6
_MOST_DIGITS: Final = 17
_SAME: Final = 1e-7
"""Percent: shares are of counted things, and compared with some room for what floats make of that."""
_LONGEST_NOTE: Final = 500
_HEX: Final = re.compile(r"(?<![0-9A-Za-z])([0-9a-f]{12})[0-9a-f]{12,}(?![0-9A-Za-z])")


def moment_text(micros: int) -> str:
    """An event time to the second: ``2026-11-02 14:05:09 UTC``."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def millis_text(micros: int) -> str:
    """A time to the millisecond, UTC, without saying so: ``2026-11-02 14:05:09.031``."""
    shown = datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{shown}.{micros % 1_000_000 // 1_000:03d}"


def quoted(note: str) -> str:
    """What a person said, on one line and no longer than a page can bear, to stand in a sentence."""
    said = " ".join(note.split())
    return f"“{said if len(said) <= _LONGEST_NOTE else said[: _LONGEST_NOTE - 1] + '…'}”"


def digest_text(text: str) -> str:
    """A digest, or a text that holds some, as a sentence tells it: twelve digits of each, ``sha256:9a4be2710c53…``.

    In what is made for machines, or to be copied, digests are whole.
    """
    return _HEX.sub(r"\1…", text)


def share_text(share: float, *bounds: float | None) -> str:
    """A share as percent, with as many places as it needs to differ from 0 and 1: ``4.2 %``, ``0.03 %``.

    And from each of ``bounds`` that it differs from: ``5.004 %`` is not told as the 5 % that it is above.
    """
    percent = share * 100
    others = [bound * 100 for bound in bounds if bound is not None]
    for places in range(_MOST_DIGITS):
        shown = f"{percent:.{places}f}"
        plain = places >= 3 or abs(float(shown) - percent) <= 0.05 * min(percent, 100 - percent)
        if plain and _apart(float(shown), percent, others, _SAME):
            break
    return f"{shown} %"


def number_text(value: float | None, *bounds: float | None) -> str:
    """A number without noise: ``12``, ``0.73``, ``1.5e+09``; ``no value`` for None.

    It is on the same side of each of ``bounds`` as the value is: ``1.0000001`` is not told as the 1 that it is above. A
    bound that was agreed is told whole: it is given itself.
    """
    if value is None:
        return "no value"
    others = [bound for bound in bounds if bound is not None]
    for digits in range(_DIGITS, _MOST_DIGITS):
        if _apart(float(shown := f"{value:.{digits}g}"), value, others, 0):
            return shown
    return repr(value)


def _apart(shown: float, value: float, bounds: Sequence[float], same: float) -> bool:
    # Whether what is shown lies as the value does to each bound; within `same` of one it was compared as equal to it.
    return all(_side(shown, bound, same) == _side(value, bound, same) for bound in bounds)


def _side(value: float, bound: float, same: float) -> int:
    return 0 if abs(value - bound) <= same else (value > bound) - (value < bound)


def left_out_text(numbers: Sequence[int], reasons: Sequence[str]) -> str:
    """What an estimate does not rest on, in words to stand after it: `` (12 more left out: 12 without a score)``.

    ``reasons`` are those of the numbers in turn; "" where nothing was left out.
    """
    parts = [f"{number:,} {why}" for number, why in zip(numbers, reasons, strict=False) if number]
    return f" ({sum(numbers):,} more left out: {', '.join(parts)})" if parts else ""

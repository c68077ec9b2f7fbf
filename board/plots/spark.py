"""Sparks: a trend of a few shares as a small SVG without axes, told in words as well. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from seamwatch.judging.patterns.wording import share_text

_WIDTH: Final = 120
_HEIGHT: Final = 28
_EDGE: Final = 4
_LEAST_SPAN: Final = 0.02
"""Shares that differ by less lie on a level line: what is a hair's breadth must not look like a fall."""


def spark(shares: Sequence[float | None], agreed: float | None = None) -> Markup:
    """Shares in order, the oldest first, with a line at what is agreed; None is a period without events, a gap."""
    known = [share for share in shares if share is not None]
    if not known:
        return Markup('<span class="soft">no events</span>')
    low, high = min([*known, agreed or 1.0]), max([*known, agreed or 0.0])
    if high - low < _LEAST_SPAN:
        low = max(0.0, high - _LEAST_SPAN)
    step = (_WIDTH - 2 * _EDGE) / max(1, len(shares) - 1)

    def place(number: int, share: float) -> tuple[float, float]:
        up = (share - low) / (high - low) if high > low else 1.0
        return _EDGE + number * step, _EDGE + (1 - up) * (_HEIGHT - 2 * _EDGE)

    parts = []
    if agreed is not None:
        _, y = place(0, agreed)
        parts.append(Markup('<path class="bound" d="M0 {:.1f}H{}"/>').format(y, _WIDTH))
    for run in _runs(shares):
        points = [place(number, share) for number, share in run]
        drawn = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        parts.append(Markup('<path class="line" d="M{}"/>').format(drawn))
        parts += [Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2"/>').format(x, y) for x, y in points]
    return Markup('<svg class="spark plot" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        _WIDTH, _HEIGHT, told(shares), Markup("").join(parts)
    )


def told(shares: Sequence[float | None]) -> str:
    """The same in words, the oldest first."""
    said = ["no events" if share is None else share_text(share) for share in shares]
    return f"the oldest first: {', '.join(said)}"


def _runs(shares: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    runs: list[list[tuple[int, float]]] = [[]]
    for number, share in enumerate(shares):
        if share is None:
            runs.append([])
        else:
            runs[-1].append((number, share))
    return [run for run in runs if run]

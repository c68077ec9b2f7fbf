"""The reliability diagram of a card: what scores said and what happened, bin by bin, as SVG. Pure.

It holds no style, as `board.plots.drawing`; the values stand beside it as a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from markupsafe import Markup

from board.cards.words import calibration_text, cohort_text
from seamwatch.printable import printable
from sinks.store.questions.cards.model import Calibration

_SIZE: Final = 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 10, 10, 40
_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


def diagram(one: Calibration, name: str) -> Markup:
    """A figure of one cohort's calibration; ``name`` tells it from others of the page."""
    title = f"Calibration of {printable(cohort_text(one.cohort))}"
    told = f"{title}: scores are {calibration_text(one)}."
    parts = Markup("").join([*_axes(), *_bins(one)])
    return Markup(
        '<figure class="plot reliability"><figcaption>{title}</figcaption>'
        '<svg viewBox="0 0 {size} {size}" role="img" aria-labelledby="{name}-title {name}-desc">'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{told}</desc>{parts}</svg></figure>'
    ).format(title=title, size=_SIZE, name=name, told=told, parts=parts)


def _x(value: float) -> float:
    return _LEFT + value * (_SIZE - _LEFT - _RIGHT)


def _y(value: float) -> float:
    return _SIZE - _BOTTOM - value * (_SIZE - _TOP - _BOTTOM)


def _axes() -> Iterator[Markup]:
    for tick in _TICKS:
        yield _line("grid", 0, tick, 1, tick)
        yield _line("grid", tick, 0, tick, 1)
        yield _text(_LEFT - 6, _y(tick) + 4, "end", f"{tick:g}")
        yield _text(_x(tick), _SIZE - _BOTTOM + 15, "middle", f"{tick:g}")
    yield _line("axis", 0, 0, 1, 0)
    yield _line("axis", 0, 0, 0, 1)
    yield _line("bound", 0, 0, 1, 1)
    yield _text(_x(0.5), _SIZE - 6, "middle", "score said (dashed: as said)")
    yield Markup(
        '<text class="label" transform="translate(14 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>'
    ).format(_y(0.5), "share that came true")


def _bins(one: Calibration) -> Iterator[Markup]:
    for each in one.bins:
        said = min(max(each.said, 0.0), 1.0)
        yield _line("line", said, each.low, said, each.high)
        yield Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(_x(said), _y(each.happened))


def _line(name: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        name, _x(x1), _y(y1), _x(x2), _y(y2)
    )


def _text(x: float, y: float, anchor: str, words: str) -> Markup:
    return Markup('<text class="label" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, words)

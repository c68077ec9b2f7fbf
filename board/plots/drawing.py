"""Drawing: a plot as SVG, with a title, a description, and a table of its values for who does not see it. Pure.

It holds no style: `board.css` has the classes, since pages allow none inline.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from markupsafe import Markup, escape

from board.plots.scales import Axis, Display, display_of, time_axis, time_labels, value_axis
from board.plots.series import Line, Plot, Point, is_drawable
from board.words import moment
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.printable import printable

_WIDTH: Final = 440
_HEIGHT: Final = 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 22, 26
_DOTS: Final = 48
_ROWS: Final = 60
"""So many rows has the table of values; of more every so many-th is left, which it says."""


def drawn(plot: Plot) -> Markup:
    """A plot as a figure; of one without values, that there are none."""
    note = Markup("<p class='soft'>{}</p>").format(plot.note) if plot.note else Markup("")
    if plot.is_empty:
        told = _sentence(plot)
        return Markup('<figure class="plot"><figcaption>{}</figcaption><p class="empty">{}</p>{}</figure>').format(
            plot.title, told, note
        )
    bounds = [bound for bound in plot.bounds if is_drawable(bound.value)]
    everything = [*plot.values(), *(bound.value for bound in bounds)]
    display = display_of(plot.unit, max(everything, key=abs))
    across, up = time_axis(plot.since, plot.until), value_axis(everything, display.by)
    legend = "" if len(plot.lines) == 1 else ": " + ", ".join(line.name for line in plot.lines)
    parts = [
        *_grid(across, up, display),
        *_bounds(plot, up, display),
        *_marks(plot, across),
        *(part for number, line in enumerate(plot.lines) for part in _line(number, line, across, up)),
    ]
    return Markup(
        '<figure class="plot"><figcaption>{title}{legend}</figcaption>'
        '<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title {name}-desc">'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{told}</desc>{parts}</svg>'
        "{note}{table}</figure>"
    ).format(
        title=plot.title,
        legend=legend,
        width=_WIDTH,
        height=_HEIGHT,
        name=plot.name,
        told=_sentence(plot, display),
        parts=Markup("").join(parts),
        note=note,
        table=_table(plot, display),
    )


def _sentence(plot: Plot, display: Display | None = None) -> str:
    """What it shows, in words."""
    span = f"from {moment_text(plot.since)} to {moment_text(plot.until)}"
    if display is None:
        return f"Nothing was measured {span}."
    told = []
    for line in plot.lines:
        values = [p.shown for p in line.points if p.shown is not None and plot.since <= p.at <= plot.until]
        if values:
            told.append(
                f"{line.name}: least {display.text(min(values))}, most {display.text(max(values))}, "
                f"last {display.text(values[-1])}"
            )
        else:
            told.append(f"{line.name}: nothing measured")
    told += [f"{bound.name} {display.text(bound.value)}" for bound in plot.bounds]
    told += [f"{mark.name} at {moment_text(mark.at)}" for mark in plot.marks]
    return f"{plot.title}, {span}. {'; '.join(told)}."


def _x(axis: Axis, at: float) -> float:
    return _LEFT + axis.share(at) * (_WIDTH - _LEFT - _RIGHT)


def _y(axis: Axis, value: float) -> float:
    return _TOP + (1 - axis.share(value)) * (_HEIGHT - _TOP - _BOTTOM)


def _grid(across: Axis, up: Axis, display: Display) -> Iterator[Markup]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for tick in up.ticks:
        y = _y(up, tick)
        yield _segment("grid", _LEFT, y, right, y)
        yield _text(_LEFT - 6, y + 4, "end", display.text(tick))
    for tick, label in zip(across.ticks, time_labels(across.ticks), strict=True):
        x = _x(across, tick)
        yield _segment("axis", x, bottom, x, bottom + 4)
        anchor = "end" if x > right - 30 else "start" if x < _LEFT + 20 else "middle"
        yield _text(x, bottom + 18, anchor, label)
    yield _segment("axis", _LEFT, bottom, right, bottom)
    yield _segment("axis", _LEFT, _TOP, _LEFT, bottom)
    yield _text(right, _TOP - 8, "end", "times are UTC")


def _bounds(plot: Plot, up: Axis, display: Display) -> Iterator[Markup]:
    for bound in plot.bounds:
        if not is_drawable(bound.value):
            continue
        y = _y(up, bound.value)
        yield _segment("bound", _LEFT, y, _WIDTH - _RIGHT, y)
        above = y - 5 if y > _TOP + 14 else y + 14
        yield _text(_LEFT + 4, above, "start", f"{bound.name} {display.text(bound.value)}", "bound-name")


def _marks(plot: Plot, across: Axis) -> Iterator[Markup]:
    for number, mark in enumerate(plot.marks):
        if not plot.since <= mark.at <= plot.until:
            continue
        x = _x(across, mark.at)
        yield _segment("at", x, _TOP, x, _HEIGHT - _BOTTOM)
        anchor, beside = ("end", x - 4) if x > _WIDTH * 0.7 else ("start", x + 4)
        yield _text(beside, _TOP - 8 if number == 0 else _HEIGHT - _BOTTOM - 6, anchor, mark.name, "at-name")


def _line(number: int, line: Line, across: Axis, up: Axis) -> Iterator[Markup]:
    within = [p for p in line.points if across.low <= p.at <= across.high]
    dots = sum(point.shown is not None for point in within) <= _DOTS
    for run in _runs(within):
        places = [f"{_x(across, at):.1f} {_y(up, value):.1f}" for at, value in run]
        if len(places) > 1:
            yield Markup('<path class="line l{}" d="M {}"/>').format(number, " L ".join(places))
        for place in places if dots or len(places) == 1 else ():
            x, y = place.split()
            yield Markup('<circle class="dot l{}" cx="{}" cy="{}" r="2.5"/>').format(number, x, y)


def _runs(points: list[Point]) -> Iterator[list[tuple[int, float]]]:
    """The points between gaps."""
    run: list[tuple[int, float]] = []
    for point in points:
        if point.shown is not None:
            run.append((point.at, point.shown))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _segment(name: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(name, x1, y1, x2, y2)


def _text(x: float, y: float, anchor: str, words: str, name: str = "label") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        name, x, y, anchor, printable(words)
    )


def _table(plot: Plot, display: Display) -> Markup:
    """The values as a table: every time at which any line has one."""
    held = [{p.at: p.value for p in line.points if plot.since <= p.at <= plot.until} for line in plot.lines]
    times = sorted({at for each in held for at in each})
    every = -(-len(times) // _ROWS)
    shown = times[:: every or 1]
    left_out = Markup(" Of {} times every {}th is listed.").format(len(times), every) if every > 1 else ""
    head = Markup("").join(Markup('<th scope="col" class="number">{}</th>').format(line.name) for line in plot.lines)
    rows = Markup("").join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            moment(at), Markup("").join(_cell(each.get(at), display) for each in held)
        )
        for at in shown
    )
    return Markup(
        '<details class="values"><summary>The values as a table</summary><div class="table" tabindex="0" role="region" '
        'aria-label="{title}"><table><caption>{title}.{left_out}</caption><thead><tr><th scope="col">Time</th>{head}'
        "</tr></thead><tbody>{rows}</tbody></table></div></details>"
    ).format(title=plot.title, left_out=left_out, head=head, rows=rows)


def _cell(value: float | None, display: Display) -> Markup:
    told = "none" if value is None else display.text(value) if is_drawable(value) else str(value)
    return Markup('<td class="number">{}</td>').format(escape(told))

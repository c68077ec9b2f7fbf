"""Words: values as a person reads them on a page. Formatting only; what commands print alike is in `seamwatch`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup, escape

from seamwatch.documents.writing import yaml_text
from seamwatch.durations import format_duration
from seamwatch.instants import format_instant
from seamwatch.judging.patterns.wording import digest_text, millis_text, moment_text, number_text
from seamwatch.paging import measure_text
from seamwatch.printable import printable
from sinks.store.questions.rotas import local_text

_ADDRESS: Final = re.compile(r"(https?://[^\s<>\"']+)")
_DAYS: Final = 2 * 86_400_000_000


def moment(micros: int | None) -> Markup:
    """A time: in the reader's zone once the page is alive, UTC until then and on hover."""
    if micros is None:
        return Markup("never")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        format_instant(micros),
        moment_text(micros),
        datetime.fromtimestamp(micros / 1e6, UTC).strftime("%d %b %Y %H:%M UTC"),
    )


def ago(micros: int | None, now: int) -> Markup:
    """How long ago, for what is within two days; else the time. The exact time on hover."""
    if micros is None:
        return Markup("never")
    passed = now - micros
    if not 0 <= passed < _DAYS:
        return moment(micros)
    return Markup('<time datetime="{}" title="{}" data-ago>{} ago</time>').format(
        format_instant(micros), moment_text(micros), format_duration(passed)
    )


def countdown(micros: int | None, now: int) -> Markup:
    """How long until a time, counted down once the page is alive."""
    if micros is None:
        return Markup("")
    left = micros - now
    words = f"in {format_duration(left)}" if left > 0 else f"{format_duration(-left)} ago"
    return Markup('<time class="countdown{}" datetime="{}" title="{}" data-countdown>{}</time>').format(
        "" if left > 0 else " out", format_instant(micros), moment_text(micros), words
    )


def local(micros: int | None, time_zone: str | None) -> Markup:
    """A time as the clocks of a zone show it, whoever reads it; UTC on hover."""
    if micros is None:
        return Markup("–")
    return Markup('<time datetime="{}" title="{}" data-zoned>{}</time>').format(
        format_instant(micros), moment_text(micros), local_text(micros, time_zone or "UTC")
    )


def shown(text: object) -> Markup:
    """Text that others wrote, with escapes for what shows nothing but does something."""
    return escape(printable("" if text is None else str(text)))


def measured(value: float | None, unit: str | None, beside: float | None = None) -> str:
    """A number with its unit."""
    return "" if value is None else measure_text(value, unit, value if beside is None else beside)


def linked(text: str) -> Markup:
    """Text with the web addresses in it as links, which open without telling where from."""
    parts = _ADDRESS.split(printable(text))
    return Markup("").join(
        Markup('<a href="{0}" rel="noreferrer noopener">{0}</a>').format(part)
        if _ADDRESS.fullmatch(part)
        else escape(part)
        for part in parts
    )


def as_yaml(terms: Mapping[str, Any]) -> Markup:
    """Part of a document, as it is written in a file."""
    return shown(yaml_text([dict(terms)]).rstrip())


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "ago": ago,
    "countdown": countdown,
    "digest": lambda text: shown(digest_text(str(text or ""))),
    "duration": format_duration,
    "linked": linked,
    "local": local,
    "measured": measured,
    "millis": millis_text,
    "moment": moment,
    "number": lambda value: "" if value is None else number_text(value),
    "shown": shown,
    "yaml": as_yaml,
}

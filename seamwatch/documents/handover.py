"""Hand-over: points of a System's hand-over that are given and say nothing.

Whether a point is there is `seamwatch.documents.references`'s to say. Here it is asked whether a person who has to act
at night could go by it: text that is blank or a placeholder, a runbook that leads nowhere, a review that is to come and
is entered as done. That a benchmark has numbers, and that owner and reviewer are persons of the documents, holds
already. Looks at files that a runbook names; asks no network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seamwatch.documents.models import Person, System
from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Place
from seamwatch.documents.references import HANDOFF, Read
from seamwatch.judging.patterns.wording import moment_text

_PLACEHOLDERS: Final = frozenset(
    "changeme fixme later n/a na nil no none null pending placeholder soon tba tbc tbd todo unknown wip x xxx".split()
)
_LINK: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#]+\S*")
_ENOUGH_WORDS: Final = 10
"""A runbook of so many words is written out where it stands."""
_TEXTS: Final = ("runbook", "monitoring_agreement", "registry_entry", "lineage")


@dataclass(frozen=True, slots=True)
class Senseless:
    """A point that says nothing: where it stands in the document, why it says nothing, and what to do."""

    place: Place
    reason: str
    remedy: str


def senseless(read: Read, now: int) -> Iterator[Senseless]:
    """The points of a System's hand-over that say nothing at ``now`` (micros), broken documents included."""
    content = read.written.content
    for key in _TEXTS:
        for place, text in _texts(content.get(key), (key,)):
            why = why_nothing(text)
            if why is None and key == "runbook" and not _leads_somewhere(text, Path(read.written.file)):
                why = f"{text.strip()!r} is no link, and no file is found by it"
            if why is not None:
                yield Senseless(place, f"{HANDOFF[key]} is given, but {why}", _REMEDIES[key])
    system = read.document
    if not isinstance(system, System):
        return
    for number, benchmark in enumerate(system.benchmark):
        if (why := why_nothing(benchmark.metric)) is not None:
            place = ("benchmark", number, "metric")
            yield Senseless(place, f"a benchmark is given, but its metric {why}", _REMEDIES["benchmark"])
    if system.review is not None and system.review.last is not None and system.review.last > now:
        reason = f"a scheduled review is given, but its last is to come: {moment_text(system.review.last)}"
        yield Senseless(("review", "last"), reason, "enter when it was last done, or leave 'last' out")


def handover_problems(reads: Sequence[Read], now: int) -> Iterator[Problem]:
    """The same of all Systems as warnings, with any other text of a System or Person that is blank."""
    for read in reads:
        said: set[Place] = set()
        if read.kind == System.kind_name:
            for found in senseless(read, now):
                said.add(found.place)
                message = f"hand-over of system {read.id!r}: {found.reason}: {found.remedy}"
                yield read.warning(found.place, message)
        if read.kind in (System.kind_name, Person.kind_name):
            for place, text in _texts(read.written.content, ()):
                if not text.strip() and place not in said:
                    name = ".".join(str(part) for part in place)
                    yield read.warning(
                        place, f"{name} of {read.kind.lower()} {read.id!r} is blank: write it, or leave it out"
                    )


_REMEDIES: Final[Mapping[str, str]] = {
    "runbook": "name a link (https://…) or a file beside the document that says what to do when it fails",
    "monitoring_agreement": "say who watches what, or link to where that is agreed",
    "registry_entry": "name its entry in the risk registry",
    "lineage": "link to the lineage map, or name the sources",
    "benchmark": "give a metric with a number as min, max or both",
}


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Every text at or below a place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*place, number))


def why_nothing(text: str) -> str | None:
    """Why a text says nothing, as what follows its name; None where it says something."""
    words = text.strip()
    if not words:
        return "is blank"
    bare = words.casefold().strip(".?!-_ <>()[]{}*…")
    return f"{words!r} says nothing" if not bare or bare in _PLACEHOLDERS else None


def _leads_somewhere(text: str, document: Path) -> bool:
    words = text.strip()
    if _LINK.fullmatch(words) or len(words.split()) >= _ENOUGH_WORDS:
        return True
    try:
        return any((folder / words).is_file() for folder in (*document.absolute().parents, Path.cwd()))
    except (OSError, ValueError):
        return False  # no name of a file

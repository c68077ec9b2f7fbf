"""The worked example of a clause kind: what its file's docstring, and so its page, shows, read back so that it runs.

A clause, documents beside it where it needs some, events, and the episodes that a replay of them gives. ``times`` and
``every`` of an event stand for as many lines, so long apart.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import Any

from seamwatch.clauses import Clause
from seamwatch.durations import parse_duration
from seamwatch.instants import format_instant, parse_instant
from seamwatch.judging.model.facts import Violation
from seamwatch.wire.text import record_of
from streams.replay.replay import replay
from tests.clauses.history import contract, estate_of

PEOPLE = """
kind: Person
id: lead@example.org
name: Example Lead
---
kind: Person
id: reviewer@example.org
name: Example Reviewer
"""
_BLOCK = re.compile(r"^```(yaml|json|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_UNTIL = re.compile(r"^Replayed to (\S+), ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """``told`` is what is shown of the episodes, with single spaces; ``until`` is where the replay's clock ends."""

    clause: str
    documents: tuple[str, ...]
    events: tuple[dict[str, Any], ...]
    until: int | None
    told: str


def worked_example(kind: type[Clause]) -> str:
    """The clause that is shown, as YAML."""
    return example_of(kind).clause


def example_of(kind: type[Clause]) -> Example:
    """The example of a kind."""
    text = sys.modules[kind.__module__].__doc__ or ""
    blocks = [(match[1], match[2]) for match in _BLOCK.finditer(text)]
    clause, *documents = [block for language, block in blocks if language == "yaml"]
    events = "".join(block for language, block in blocks if language == "json")
    until = _UNTIL.search(text)
    return Example(
        clause,
        tuple(documents),
        tuple(event for line in _lines(events) for event in _repeated(json.loads(line))),
        None if until is None else parse_instant(until[1]),
        " ".join("".join(block for language, block in blocks if language == "text").split()),
    )


def shown(violation: Violation) -> str:
    """An episode as the pages show it: two lines, of which the second is its sentence."""
    head = [f"{violation.severity} {violation.state}", f"opened {_instant(violation.opened_at)}"]
    if violation.resolved_at is not None:
        head.append(f"resolved {_instant(violation.resolved_at)}")
    if violation.slice is not None:
        head.append(f"slice {violation.slice}")
    return f"{', '.join(head)}\n{violation.summary}"


def replayed(kind: type[Clause]) -> list[Violation]:
    """The episodes of a replay of the example: what it shows stands alone in a contract over all systems."""
    example = example_of(kind)
    documents = "".join(f"---\n{document}" for document in example.documents)
    estate = estate_of(PEOPLE, contract("'*'", example.clause) + documents)
    return replay(estate, [record_of(event, make_ids=True) for event in example.events], example.until)


def _instant(micros: int) -> str:
    return format_instant(micros).replace(".000000Z", "Z")


def _lines(text: str) -> list[str]:
    # A record that is too long for the page goes on in an indented line.
    return text.replace("\n ", " ").splitlines()


def _repeated(event: dict[str, Any]) -> list[dict[str, Any]]:
    times, every = event.pop("times", 1), parse_duration(event.pop("every", "1s"))
    begun = parse_instant(event["event_time"])
    return [{**event, "event_time": begun + number * every} for number in range(times)]

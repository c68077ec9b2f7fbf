"""Unjudged: what the stages' states say was not judged, and why: of events, of time that stands, of what is unreadable.

Words for `seamwatch doctor`; those of the states themselves are in `console.judging_state`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from console.finding import TIMEOUT_SECONDS, Finding
from console.judging_state import state_of_judges
from console.unknown import recent, sentences
from seamwatch.errors import SeamwatchError
from seamwatch.wire.topics import Topics

_TOLD: Final = 3


def unjudged(bootstrap: str, topics: Topics, known: Mapping[str, Any]) -> Iterator[Finding]:
    """What the states tell, as far as their topics are among those ``known`` (a broker's metadata by topic)."""
    for subject, verdict, found in state_of_judges(bootstrap, topics, known, TIMEOUT_SECONDS):
        yield Finding(subject, verdict, found)
    if topics.judge_state in known:
        yield from _unknown(bootstrap, topics.prefix)


def _unknown(bootstrap: str, prefix: str) -> Iterator[Finding]:
    try:
        unknown = recent(bootstrap, prefix)
    except SeamwatchError as error:
        yield Finding("unknown", "note", str(error))
        return
    if not unknown:
        yield Finding("unknown", "ok", "every clause could be told of every event, today and yesterday")
    for sentence in sentences(unknown, _TOLD):
        yield Finding("unknown", "note", f"today and yesterday, {sentence}")

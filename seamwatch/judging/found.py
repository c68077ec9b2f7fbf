"""Found: how a violation came to be found, as a header of its message.

What a violation says is the same live and in a replay; what was waited for until it was found is not. So that goes
beside it, and the store keeps it with the other headers. Bytes to values and back; what it means to a reader is
`sinks.store.questions.lateness`'s. All times are microseconds.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import Final

from pydantic import TypeAdapter, ValidationError

from seamwatch.judging.model.held import Held

HEADER: Final = "seamwatch-found"


@dataclass(frozen=True, slots=True)
class Found:
    """How a state of a violation was found.

    - ``measured_at``: when the broker took the measurement that it was found by; None where there was no broker.
    - ``lateness``: for how long events were waited for where the contract says nothing; ``settle``: for how long
      what comes by another partition was.
    - ``held``: when event time was behind the clock, a few times, in order (`judging.model.held`).
    - ``clock``: the setting of the clock that the stages ran on, where it is not the machine's (a demo's).
    """

    measured_at: int | None
    lateness: int
    settle: int
    held: tuple[Held, ...] = ()
    clock: str | None = None


def header_of(found: Found) -> tuple[str, bytes]:
    """Name and value of the header."""
    return HEADER, json.dumps(asdict(found), separators=(",", ":")).encode()


def found_of(value: bytes | str | None) -> Found | None:
    """What a header's value says; None where it says nothing that this release can read."""
    if value is None:
        return None
    try:
        return _adapter().validate_json(value)
    except ValidationError:
        return None


@cache
def _adapter() -> TypeAdapter[Found]:
    return TypeAdapter(Found)

"""How a host wants its stream judged."""

from __future__ import annotations

from dataclasses import dataclass

from seamwatch.durations import DAY, SECOND


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How a host wants its stream judged (micros).

    - ``lateness``: how much later than its time an event may be measured and still belong to its window.
    - ``settle``: how long neighbours on other partitions and topics may still be on their way.
    - ``max_age``: a rare event that arrives later than this after its own time is too old and opens nothing.
    - ``climbs``: whether unacknowledged episodes climb the escalation list (not in a replay, which pages nobody).
    - ``replayed``: whether the whole input is a history that is its own clock, so that violations are dated by when
      they could first be found, and not by the flush they came with; nothing of it is saved.
    - ``default_owner``: the person who must act where no contract and no document names one.
    """

    lateness: int = 5 * SECOND
    settle: int = 2 * SECOND
    max_age: int = DAY
    climbs: bool = True
    replayed: bool = False
    default_owner: str | None = None

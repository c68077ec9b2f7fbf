"""Rows of what could not be judged, and the reasons that there are. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Why = Literal[
    "judged",
    "missing",
    "unreadable",
    "too few",
    "no outcome",
    "no decision",
    "no event",
    "none selected",
    "unwatched",
    "no contract",
    "not used",
    "hidden",
]
"""What became of events, or why they were not judged.

- *judged*: the clause could tell of them. *missing*: a field or argument that it asks for is not given. *unreadable*:
  something is given that cannot be used. *too few*: fewer in a window, or in all, than are judged.
- *no outcome*: of these decisions none is on record. *no decision*: of these outcomes.
- *no event*: nothing came that it looks at. *none selected*: what came is none of what it looks at.
- *unwatched*: no clause is on this signal. *no contract*: the defaults alone apply to the system.
- *not used*: what came, or was published, cannot be used at all. *hidden*: who asks may not be told.
"""

JUDGED: Final = "judged"


@dataclass(frozen=True, slots=True)
class Looked:
    """Of the events of one type (``source``) under a clause: how many there were, and ``count`` of which ``why`` holds.

    - ``system`` is empty for what is of no system that could be told; contract, version, clause and kind are None where
      it is of no clause.
    - ``came`` in the time that is asked about; of these the clause asks something of ``looked_at``.
    - ``what`` says which field, window, signal or document.
    """

    system: str
    contract: str | None
    version: str | None
    clause: str | None
    kind: str | None
    source: str
    why: Why
    what: str
    came: int
    looked_at: int
    count: int

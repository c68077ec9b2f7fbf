"""When things happen in the demo, in days of its own history. Times only; what happens is in `producers`.

The history begins at a midnight, UTC, twelve days ago, so that all of it lies in the past, and runs at `RATE`: a
simulated day takes five seconds. The shipped contracts carry the dates of a history that begins at `NOMINAL_ORIGIN`;
`moved` turns them into those of this run.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from seamwatch.durations import DAY, HOUR, SECOND

RATE: Final = 17_280
"""How many times as fast as the wall clock the history runs: a day in five seconds."""

NOMINAL_ORIGIN: Final = date(2026, 1, 5)
LENGTH_DAYS: Final = 10.8
TAIL_DAYS: Final = 6.0
"""How long life goes on after the last story where not all was seen yet, while what is on its way arrives."""

LATENESS: Final = 6 * HOUR
"""How late an event may come, in event time: 1.25 s on the wall, for what is on its way when the clock runs fast."""

SETTLE: Final = 4 * HOUR
"""How long a window waits for neighbours from other partitions: 0.8 s on the wall."""

FEED_STOPS: Final = 1.02
FEED_RETURNS: Final = 10.1
CHANGE_ANNOUNCED: Final = 2.0
LEAD_ACCEPTS: Final = 2.8
COMPLIANCE_OBJECTS: Final = 3.3
THRESHOLD_EFFECTIVE: Final = 4.5
RISK_ANSWERS_LATE: Final = 4.9
PROMPT_ANNOUNCED: Final = 3.0
PROMPT_ACCEPTED: Final = 3.6
PROMPT_EFFECTIVE: Final = 5.1
TOOL_APPEARS: Final = 5.0
THRESHOLD_SLIPPED: Final = 5.6
LATE_ANSWER_REVIEWED: Final = 5.9
ROTA_DONE: Final = 7.0
ROTA_DUE: Final = 7.4
DEPUTY_DUE: Final = 7.6
MODEL_SWAPPED: Final = 6.2
UNITS_CHANGE: Final = 7.02
PROMPT_EDIT: Final = (7.885, 7.925)
SQUATTER_STARTS: Final = 8.5
AGENT_RESUMED: Final = 9.5


def micros_of(day: date) -> int:
    """Midnight UTC at which a day begins, in microseconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND


def origin_day(today: date) -> date:
    """The day on which a history played today begins: all of it lies in the past."""
    return today - timedelta(days=12)


def at(origin: int, days: float) -> int:
    """The time ``days`` after the origin (microseconds)."""
    return origin + round(days * DAY)


def wall_seconds(micros: float) -> float:
    """How long a span of the history (microseconds) takes on the wall."""
    return micros / SECOND / RATE


def whole_seconds(time: int) -> int:
    """The whole second after a time (microseconds)."""
    return (time // SECOND + 1) * SECOND


def moved(text: str, origin: date) -> str:
    """A shipped contract with its dates moved by whole days, from the nominal origin to this one."""
    by = origin - NOMINAL_ORIGIN
    return re.sub(r"\b20\d\d-\d\d-\d\d\b", lambda found: (date.fromisoformat(found[0]) + by).isoformat(), text)

"""Unknown: what could not be told of events, clause by clause, in words for whoever looks.

What is odd comes first: something is given that cannot be used. What is absent may be as it should be. Words only; the
counts are `streams.judge.unknown`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from seamwatch.broker import Address

if TYPE_CHECKING:
    from streams.judge.unknown import Doubted, Why

SAID: Final[Mapping[Why, tuple[str, str, str]]] = MappingProxyType(
    {
        "odd": (
            "gives",
            "give",
            "what cannot be judged (values of another kind, arguments nobody can read, labels outside 0 to 1)",
        ),
        "absent": ("lacks", "lack", "what is asked for"),
    }
)
"""By why: the verb of one event, that of several, and what the sentence goes on with."""
MOST: Final = 5
PATIENCE_SECONDS: Final = 5.0


def recent(bootstrap: Address, prefix: str) -> Counter[Doubted]:
    """What could not be told today and yesterday (UTC), as the judges' state tells. Raises UnreachableError."""
    from confluent_kafka import KafkaException

    from bus import clients
    from bus.refusals import unreachable
    from seamwatch.clock import SystemClock
    from seamwatch.wire.topics import Topics
    from streams.judge.unknown import read_unknown

    state = Topics(prefix).judge_state
    admin = clients.admin(bootstrap)
    try:
        partitions = list(admin.list_topics(state, PATIENCE_SECONDS).topics[state].partitions)
    except KafkaException as error:
        raise unreachable(f"looking at {state}", bootstrap, error.args[0].str()) from None
    return read_unknown(bootstrap, state, partitions, SystemClock().now(), PATIENCE_SECONDS)


def sentences(counts: Counter[Doubted], most: int = MOST) -> Iterator[str]:
    """One for each clause and system, what is odd first and the most numerous of each; the rest in one."""
    from streams.judge.unknown import others

    for why, (one, several, what) in SAID.items():
        found = [(whose, number) for whose, number in counts.most_common() if whose.why == why]
        named = [(whose, number) for whose, number in found if whose != others(why)][:most]
        for whose, number in named:
            verb = one if number == 1 else several
            yield f"{_events(number)} of {whose.system} {verb} {what}: {whose.clause} of {whose.contract}"
        if rest := sum(number for _, number in found) - sum(number for _, number in named):
            verb = one if rest == 1 else several
            yield f"{_events(rest)} more {verb} {what}, of other clauses and systems"


def _events(number: int) -> str:
    return "1 event" if number == 1 else f"{number:,} events"

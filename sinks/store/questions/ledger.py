"""How far the ledger of each topic partition is: what was committed, and what is under a signed checkpoint.

It says what the store says of itself. Whether that is so, `sinks.ledger.verify` finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sinks.store.questions.rows import Micros, rows

if TYPE_CHECKING:
    from sinks.store.client import Store


@dataclass(frozen=True, slots=True)
class Grown:
    """The tree of a topic partition; ``size`` counts its leaves, of which ``checkpointed`` are under a checkpoint.

    ``origin`` and ``checkpointed_at`` are of the newest checkpoint; None where there is none yet.
    """

    topic: str
    partition: int
    commits: int
    records: int
    dead_letters: int
    committed_at: Micros
    size: int
    checkpointed: int
    origin: str | None
    checkpointed_at: Micros | None

    @property
    def behind(self) -> int:
        """How many records no checkpoint covers yet."""
        return max(0, self.size - self.checkpointed)


_GROWN: Final = """
SELECT
    grown.topic AS topic, grown.partition AS partition, grown.commits AS commits, grown.records AS records,
    grown.dead AS dead_letters, grown.at AS committed_at, grown.leaves AS size, signed.leaves AS checkpointed,
    if(signed.leaves = 0, NULL, signed.by) AS origin, if(signed.leaves = 0, NULL, signed.at) AS checkpointed_at
FROM
(
    SELECT
        CAST(topic, 'String') AS topic, partition, count() AS commits, sum(count) AS records, sum(dead_letters) AS dead,
        max(committed_at) AS at, toInt64(max(size)) AS leaves
    FROM ledger_commit GROUP BY topic, partition
) AS grown
LEFT JOIN
(
    SELECT
        CAST(topic, 'String') AS topic, partition, toInt64(max(tree_size)) AS leaves,
        CAST(argMax(origin, tree_size), 'String') AS by, argMax(created_at, tree_size) AS at
    FROM checkpoint GROUP BY topic, partition
) AS signed ON grown.topic = signed.topic AND grown.partition = signed.partition
ORDER BY topic, partition
"""


def grown(store: Store) -> list[Grown]:
    """The tree of every topic partition, by its name."""
    return rows(store, Grown, _GROWN)

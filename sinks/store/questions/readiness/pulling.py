"""The log of decisions as the store's own user pulls it, and whether that user may write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from seamwatch.durations import DAY
from seamwatch.errors import StoreError
from sinks.store.questions.readiness.known import Pulled
from sinks.store.questions.rows import Micros, count, rows

if TYPE_CHECKING:
    from sinks.store.client import Store

PULLED_DAYS: Final = 30
"""The log that is pulled is of so many days."""
_WRITES: Final = ("ALL", "INSERT", "ALTER", "DELETE", "DROP", "TRUNCATE")


@dataclass(frozen=True, slots=True)
class Log:
    """How many decisions and calls of a system were pulled, and when the newest was made."""

    system: str
    decisions: int
    newest: Micros | None


@dataclass(frozen=True, slots=True)
class Pull:
    """The logs of all systems, by the user who pulled them."""

    user: str
    may_write: bool | None
    logs: Mapping[str, Log]

    def of(self, system: str) -> Pulled:
        """The log of one system."""
        log = self.logs.get(system, Log(system, 0, None))
        return Pulled(self.user, self.may_write, log.decisions, log.newest, PULLED_DAYS)


_PULLED: Final = """
SELECT system, sum(found) AS decisions, max(newest) AS newest
FROM
(
    SELECT CAST(system, 'String') AS system, count() AS found, toNullable(max(event_time)) AS newest
    FROM decisions WHERE event_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') GROUP BY system
    UNION ALL
    SELECT CAST(system, 'String') AS system, count() AS found, toNullable(max(event_time)) AS newest
    FROM calls WHERE event_time >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') GROUP BY system
)
GROUP BY system
"""


def pull(store: Store, now: Micros) -> Pull:
    """Pull them. Raises StoreError and UnreachableError."""
    found = rows(store, Log, _PULLED, {"since": str(now - PULLED_DAYS * DAY)})
    return Pull(store.address.user, may_write(store), {one.system: one for one in found})


def may_write(store: Store) -> bool | None:
    """Whether the user may write, by their profile and else by their rights; None where the store does not say."""
    try:
        with store.as_its_user():
            if count(store, "SELECT toInt64(getSetting('readonly')) AS level"):
                return False
            grants = store.rows("SHOW GRANTS FINAL")
    except StoreError:
        return None
    said = [str(value) for grant in grants for value in grant.values()]
    rights = [right.strip() for text in said for right in text.removeprefix("GRANT ").partition(" ON ")[0].split(",")]
    return any(right.split("(")[0].split(" ")[0] in _WRITES for right in rights) if rights else None

"""What Grafana makes of a query before it sends it to the store: macros of its ClickHouse data source, and variables.

As that plugin (version 4) documents its macros, for those that our dashboards use; any other is an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MACRO = re.compile(r"\$__(\w+)(?:\((\w+)\))?")
_VARIABLE = re.compile(r"\$\{(\w+):singlequote\}")


@dataclass(frozen=True)
class Shown:
    """What a dashboard shows: a time (seconds since 1970), in parts of so many seconds, and what its variables are."""

    since: int
    until: int
    interval: int
    variables: dict[str, list[str]]

    def expanded(self, sql: str) -> str:
        """The SQL that is sent."""
        found = _MACRO.sub(lambda macro: self._macro(macro[1], macro[2]), sql)
        found = _VARIABLE.sub(lambda variable: self._quoted(variable[1]), found)
        assert "$" not in found, found
        return found

    def _macro(self, name: str, column: str | None) -> str:
        since, until = f"toDateTime({self.since})", f"toDateTime({self.until})"
        match name:
            case "timeFilter":
                return f"{column} >= {since} AND {column} <= {until}"
            case "dateFilter":
                return f"{column} >= toDate({since}) AND {column} <= toDate({until})"
            case "timeInterval":
                return f"toStartOfInterval(toDateTime({column}), INTERVAL {self.interval} second)"
            case "fromTime":
                return since
            case "toTime":
                return until
            case _:
                raise AssertionError(f"no macro $__{name} is known here")

    def _quoted(self, name: str) -> str:
        return ", ".join("'" + value.replace("'", "\\'") + "'" for value in self.variables[name])

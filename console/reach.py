"""Finds the running system that a command is meant for: its broker and its store.

Order: the data folder that the command names, the environment (``KAFKA_BOOTSTRAP_SERVERS``, ``CLICKHOUSE_URL``,
``SEAMWATCH_AUDITOR_URL``), then the folder of ``SEAMWATCH_DATA`` or the default one. A folder tells by its
``run.json``, which ``up`` writes once everything is ready. Connects to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seamwatch.broker import Broker
from seamwatch.errors import UnreachableError
from seamwatch.running import running, written

NETRC_FILE: Final = "netrc"
LEDGER_KEY_FILE: Final = "ledger.key"


@dataclass(frozen=True, slots=True)
class Reach:
    """Addresses of a system. Asking for one that nobody named raises UnreachableError."""

    known: Mapping[str, str]
    missing: str
    broker: Broker | None = field(default=None, repr=False)

    @property
    def kafka(self) -> Broker:
        """The broker, and how a client is let in there."""
        servers = self._get("kafka", "KAFKA_BOOTSTRAP_SERVERS")
        return self.broker if self.broker is not None else Broker(servers)

    @property
    def clickhouse(self) -> str:
        """URL of the store for commands that write to it."""
        return self._get("clickhouse", "CLICKHOUSE_URL")

    @property
    def auditor(self) -> str:
        """URL of the store for commands that only read, which ask it read-only whoever its user is."""
        return self.known.get("auditor") or self._get("clickhouse", "SEAMWATCH_AUDITOR_URL or CLICKHOUSE_URL")

    @property
    def prefix(self) -> str:
        """The topic prefix that the system runs with."""
        return self.known["prefix"]

    def _get(self, name: str, variable: str) -> str:
        if address := self.known.get(name):
            return address
        raise UnreachableError(
            f"{self.missing}: start one with `seamwatch up`, name its folder with --data or SEAMWATCH_DATA,"
            f" or set {variable}"
        )


def reach(data: Path | None = None) -> Reach:
    """The system to talk to. ``data`` is what ``--data`` named; it goes before the environment."""
    from seamwatch.settings import load_settings

    settings = load_settings(data=data)
    status = running(settings.data)
    addresses = {
        name: status.told[name] for name in ("kafka", "clickhouse", "auditor", "prefix") if status.told.get(name)
    }
    named = {
        "kafka": settings.kafka,
        "clickhouse": settings.clickhouse,
        # Never the auditor of one system with the store of another.
        "auditor": settings.auditor or settings.clickhouse,
    }
    known = {name: address for name, address in named.items() if address is not None}
    known = {**known, **addresses} if data is not None else {**addresses, **known}
    of_folder = "kafka" in addresses and (data is not None or settings.kafka is None)
    broker = status.broker(settings) if of_folder else settings.broker()
    return Reach({"prefix": settings.prefix, **known}, status.why, broker)


def processes(data: Path) -> dict[str, int]:
    """Process ids of what ``up`` runs on a data folder, by name; empty when nothing runs there."""
    try:
        content = written(data)
        return {"up": int(content["pid"]), **content["servers"], **content["stages"]}
    except (OSError, ValueError, KeyError):
        return {}

"""Finds the running system that a command is meant for: its broker and its store.

Order: the data folder that the command names, the environment (``KAFKA_BOOTSTRAP_SERVERS``, ``CLICKHOUSE_URL``), then
the folder of ``SEAMWATCH_DATA`` or the default one. A folder tells by its ``run.json``, which ``up`` writes once
everything is ready. Connects to nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from seamwatch.errors import UnreachableError
from seamwatch.settings import load_settings

RUN_FILE: Final = "run.json"
NETRC_FILE: Final = "netrc"
LEDGER_KEY_FILE: Final = "ledger.key"


@dataclass(frozen=True, slots=True)
class Reach:
    """Addresses of a system. Asking for one that nobody named raises UnreachableError."""

    known: Mapping[str, str]
    missing: str

    @property
    def kafka(self) -> str:
        """Bootstrap servers of the broker."""
        return self._get("kafka", "KAFKA_BOOTSTRAP_SERVERS")

    @property
    def clickhouse(self) -> str:
        """URL of the store for commands that write to it."""
        return self._get("clickhouse", "CLICKHOUSE_URL")

    @property
    def auditor(self) -> str:
        """URL of the store for commands that only read."""
        return self.known.get("auditor") or self.clickhouse

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
    settings = load_settings(data=data)
    running, missing = _running(settings.data)
    named = {"kafka": settings.kafka, "clickhouse": settings.clickhouse, "auditor": settings.clickhouse}
    known = {name: address for name, address in named.items() if address is not None}
    known = {**known, **running} if data is not None else {**running, **known}
    return Reach({"prefix": settings.prefix, **known}, missing)


def run_file(data: Path) -> Mapping[str, Any]:
    """What ``up`` says of itself in a data folder; nothing when nothing runs there."""
    try:
        content = json.loads((data / RUN_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def processes(data: Path) -> dict[str, int]:
    """Process ids of what ``up`` runs on a data folder, by name; empty when nothing runs there."""
    try:
        content = json.loads((data / RUN_FILE).read_text())
        return {"up": int(content["pid"]), **content["servers"], **content["stages"]}
    except (OSError, ValueError, KeyError):
        return {}


def _running(data: Path) -> tuple[dict[str, str], str]:
    """What ``run.json`` tells, and why it tells nothing when it does not."""
    file = data / RUN_FILE
    try:
        content: dict[str, Any] = json.loads(file.read_text())
        process = int(content["pid"])
    except FileNotFoundError:
        return {}, f"No system is running, or is ready yet, on the data folder {data}"
    except (OSError, ValueError, KeyError) as error:
        return {}, f"{file} cannot be read ({error})"
    if not _alive(process):
        return {}, f"The system on the data folder {data} has ended without saying so"
    return {name: content[name] for name in ("kafka", "clickhouse", "auditor", "prefix") if content.get(name)}, ""


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

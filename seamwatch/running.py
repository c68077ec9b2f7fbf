"""What runs on a data folder: what `seamwatch up` says there of its addresses, for its commands and for producers.

Reads the folder's ``run.json``, which ``up`` writes once everything is ready. Connects to nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from seamwatch.broker import Broker

if TYPE_CHECKING:
    from seamwatch.settings import Settings

RUN_FILE: Final = "run.json"


@dataclass(frozen=True, slots=True)
class Running:
    """What ``run.json`` tells, by name; empty, and ``why`` says so, where nothing runs."""

    told: Mapping[str, Any]
    why: str = ""

    def broker(self, settings: Settings) -> Broker:
        """The broker of what runs: one that `up` started lets in all on this machine, another as the settings say."""
        own = "kafka" in self.told.get("servers", {})
        return Broker(self.told["kafka"], {} if own else settings.kafka_client())


def running(data: Path) -> Running:
    """What runs on a data folder."""
    try:
        content = written(data)
    except FileNotFoundError:
        return Running({}, f"No system is running, or is ready yet, on the data folder {data}")
    except (OSError, ValueError) as error:
        return Running({}, f"{data / RUN_FILE} cannot be read ({error})")
    if not _alive(content["pid"]):
        return Running({}, f"The system on the data folder {data} has ended without saying so")
    return Running(content)


def written(data: Path) -> dict[str, Any]:
    """What ``up`` wrote when it was ready, whether or not it still runs. Raises OSError or ValueError."""
    content = json.loads((data / RUN_FILE).read_text())
    if not isinstance(content, dict) or not isinstance(content.get("pid"), int):
        raise ValueError("it names no process")  # noqa: TRY004 - what a file holds is a value
    return content


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

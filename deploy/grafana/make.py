"""Writes the dashboards of this folder, or into another: `python deploy/grafana/make.py [FOLDER]`.

What they ask is in the files beside it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import on_call
import stages
import system

import contracts

FOLDER = Path(__file__).parent


def made() -> dict[str, dict[str, Any]]:
    """Every dashboard by the name of its file."""
    return {
        "on-call.json": on_call.DASHBOARD,
        "system.json": system.DASHBOARD,
        "contracts.json": contracts.DASHBOARD,
        "stages.json": stages.DASHBOARD,
    }


def text(dashboard: dict[str, Any]) -> str:
    """As it is written."""
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, dashboard in made().items():
        (folder / name).write_text(text(dashboard), "utf-8")
        print(f"wrote {name}")

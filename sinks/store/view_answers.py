"""What the shipped views answer with: each one's columns and their types, as an engine told them; asks no store.

The file is written by `make view-answers` and held to a real engine by a test. It spares a reader to ask for it: an
engine that is asked what a query answers looks through every view that it reads, and those that these read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

FILE: Final = "view_answers.json"


@cache
def view_answers() -> Mapping[str, Mapping[str, str]]:
    """By view, and by column in the order in which they come, the type."""
    text = (resources.files("sinks.store") / FILE).read_text(encoding="utf-8")
    answers: dict[str, dict[str, str]] = json.loads(text)
    return answers

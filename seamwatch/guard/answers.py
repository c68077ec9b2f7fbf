"""Answers: what a tool answered, as the text that is reported with the call.

Of values that frameworks pass on; judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

LONGEST: Final = 500

Outcome = Callable[[Any], str | None]
"""Makes the outcome that is reported of what a tool answered; None reports none."""


def answered(answer: Any) -> str | None:
    """The answer as text, its first 500 characters: text as it is, other values as JSON where they have such a form."""
    if answer is None:
        return None
    text = answer if isinstance(answer, str) else _json(answer)
    # Half of a character that a model cut in two has no form on the wire.
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def outcome_of(answer: Any, outcome: Outcome) -> str | None:
    """What ``outcome`` makes of an answer; that it failed, where it fails: the tool's answer comes first."""
    try:
        made = outcome(answer)
    except Exception as error:  # noqa: BLE001 - the service's own function
        return f"the answer could not be told ({type(error).__name__})"
    return None if made is None else str(made)


def _json(answer: Any) -> str:
    try:
        return json.dumps(answer, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        return str(answer)


def _plain(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) and not isinstance(value, type) else str(value)

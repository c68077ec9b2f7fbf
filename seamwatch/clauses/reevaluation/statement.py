"""Statements: what a re-evaluation measured, as the JSON that its author signs, and read back.

One part of the clause `reevaluation`, used as well by whoever attests one. Reads and writes text; judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

MOST_METRICS: Final = 100
MOST_BYTES: Final = 16_384
_LONGEST: Final = 200


def metrics_text(metrics: Mapping[str, float]) -> str:
    """The canonical JSON of what was measured: what is signed and sent."""
    return json.dumps({"metrics": dict(metrics)}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def metrics_of(record: Mapping[str, Any]) -> dict[str, float]:
    """The value of each metric that an attestation gives: its own `metric` and `value`, and those of its statement.

    Raises ValueError, whose text says what is wrong.
    """
    found = _stated(record.get("statement"))
    if record["metric"] is not None and record["value"] is not None:
        if record["metric"] in found:
            raise ValueError(f"it gives {record['metric']} twice")
        found[record["metric"]] = float(record["value"])
    return found


def _stated(text: str | None) -> dict[str, float]:
    if text is None:
        return {}
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise ValueError(f"its statement has more than {MOST_BYTES:,} bytes")
    try:
        content = json.loads(text, object_pairs_hook=_single_keys)
    except RecursionError:
        raise ValueError("its statement is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"its statement is no JSON: {error}") from None
    metrics = content.get("metrics") if isinstance(content, dict) else None
    if not isinstance(metrics, dict) or set(content) != {"metrics"}:
        raise ValueError('its statement is not {"metrics": {name: number}}')
    if len(metrics) > MOST_METRICS:
        raise ValueError(f"its statement has more than {MOST_METRICS} metrics")
    return {_name(name): _number(name, value) for name, value in metrics.items()}


def _name(name: str) -> str:
    if not name.strip() or len(name) > _LONGEST:
        raise ValueError(f"{name[:20]!r} is no name of a metric")
    return name


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"its value of {name} is no number")
    return float(value)


def _single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key of its statement stands twice")
    return found

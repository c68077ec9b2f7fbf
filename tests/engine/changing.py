"""Two hours of a model, an agent and its data, under a contract that changes twice: for tests of versions in flight."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from seamwatch.durations import HOUR
from seamwatch.instants import format_instant
from tests.clauses.history import at, call, contract, decision, record_of

BEGIN = at("12h")
MIXED = """
- {id: valid, kind: range, min: 0, max: 1, quiet: 20m, window: 10m}
- {id: mostly, kind: range, min: 0, max: 1, tolerate: 0.2, window: 10m}
- {id: sure, kind: assertion, must: confidence > 0.1, quiet: 10m}
- {id: fresh, kind: freshness, max_lag: 30m}
- {id: verified, kind: precondition, tool: refund, requires: verify}
- {id: calls, kind: rate, max: 3, per: 10m}
- {id: told, kind: change_notice, acknowledgers: [owner@example.org], acknowledge_within: 20m}
- {id: by-all, kind: signed}
"""
CHANGED = """
- {id: valid, kind: range, min: 0, max: 1.5, quiet: 10m, window: 10m}
- {id: mostly, kind: range, min: 0, max: 1, tolerate: 0.1, window: 10m}
- {id: fresh, kind: freshness, max_lag: 15m, severity: warning}
- {id: verified, kind: precondition, tool: refund, requires: find}
- {id: calls, kind: rate, max: 2, per: 10m}
- {id: few, kind: rate, max: 5, per: trace}
- {id: told, kind: change_notice, acknowledgers: [second@example.org], acknowledge_within: 10m}
- {id: by-all, kind: signed, severity: warning}
"""
LAST = """
- {id: valid, kind: range, min: 0, max: 1, quiet: 10m, window: 20m}
- {id: mostly, kind: range, min: 0, max: 1, tolerate: 0.3, window: 10m}
- {id: sure, kind: assertion, must: confidence > 0.2, quiet: 10m}
- {id: fresh, kind: freshness, max_lag: 40m}
- {id: verified, kind: precondition, tool: refund, requires: verify}
"""


def three(first: int, second: int) -> tuple[str, ...]:
    """Three versions over the systems of the history, changing at these times."""
    texts = [contract("scorer, agent", clauses) for clauses in (MIXED, CHANGED, LAST)]
    for number, change in ((1, first), (2, second)):
        said = f'version: "{number + 1}"\neffective_from: {format_instant(change)}'
        texts[number] = texts[number].replace('version: "1"', said)
    return tuple(texts)


def history(chance: random.Random, begin: int = BEGIN) -> list[tuple[str, dict[str, Any]]]:
    """The two hours' events, in order of time."""
    events: list[Mapping[str, Any]] = []
    for number in range(240):
        moment, what = begin + chance.randrange(2 * HOUR), chance.random()
        here: dict[str, Any] = {"event_time": moment, "event_id": f"e{number:04}"}
        if what < 0.5:
            score, confidence = chance.choice([0.5, 0.5, 0.5, 0.5, 1.2, 2.0]), chance.choice([0.05, 0.15, 0.9, 0.9])
            events.append(decision("", score=score, confidence=confidence, **here))
        elif what < 0.9:
            events.append(call("", chance.choice(["verify", "find", "refund"]), f"t{chance.randrange(12)}", **here))
        elif what < 0.96:
            told = {"type": "dataset_refresh", "system": "scorer", "data_as_of": moment, "row_count": 5}
            events.append({**told, **here})
        else:
            told = {"type": "config_change", "system": "scorer", "kind": "model", "summary": "x", "announced_by": "x"}
            events.append({**told, "change_id": f"x{number}", "effective_at": moment, **here})
    return sorted((record_of(event) for event in events), key=lambda e: (e[1]["event_time"], e[1]["event_id"]))

"""The guard: a contract's clauses over what an agent does, checked in the agent's own process before it acts.

See docs/guard.md.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seamwatch.guard.conversation import Act, Conversation
    from seamwatch.guard.guard import Guard
    from seamwatch.guard.plan import Unchecked
    from seamwatch.guard.suspensions import Suspensions
    from seamwatch.guard.verdict import Denied, Escalated, Fault, NotPermitted, Verdict

_HOMES = {
    "Act": "seamwatch.guard.conversation",
    "Conversation": "seamwatch.guard.conversation",
    "Denied": "seamwatch.guard.verdict",
    "Escalated": "seamwatch.guard.verdict",
    "Fault": "seamwatch.guard.verdict",
    "Guard": "seamwatch.guard.guard",
    "NotPermitted": "seamwatch.guard.verdict",
    "Suspensions": "seamwatch.guard.suspensions",
    "Unchecked": "seamwatch.guard.plan",
    "Verdict": "seamwatch.guard.verdict",
}

__all__ = [
    "Act",
    "Conversation",
    "Denied",
    "Escalated",
    "Fault",
    "Guard",
    "NotPermitted",
    "Suspensions",
    "Unchecked",
    "Verdict",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'seamwatch.guard' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

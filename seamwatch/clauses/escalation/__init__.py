"""The kind `escalation`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.escalation.kind import Escalation
from seamwatch.clauses.escalation.state import EscalationState

__all__ = ["Escalation", "EscalationState"]

"""What the clause `approval` keeps of what was not approved, or of the approvals that expire. Values only."""

from __future__ import annotations

from seamwatch.judging.patterns.attempts import Conduct
from seamwatch.judging.patterns.expiring import Expiring
from seamwatch.values import value


@value()
class ApprovalState(Conduct):
    """The state of one part: of what was not approved, or of the approvals that expire."""

    expiring: Expiring | None = None

"""The kind `distribution`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.distribution.kind import Distribution
from seamwatch.clauses.distribution.state import DistributionState

__all__ = ["Distribution", "DistributionState"]

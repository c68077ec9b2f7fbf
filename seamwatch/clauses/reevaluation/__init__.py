"""The kind `reevaluation`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.reevaluation.kind import Reevaluation

__all__ = ["Reevaluation"]

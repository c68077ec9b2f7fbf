"""The kind `suspension`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.suspension.kind import Suspension

__all__ = ["Suspension"]

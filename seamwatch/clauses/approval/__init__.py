"""The kind `approval`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.approval.kind import Approval

__all__ = ["Approval"]

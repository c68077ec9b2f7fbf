"""The kind `rate`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.rate.kind import Rate

__all__ = ["Rate"]

"""The kind `signal`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.signal.kind import Signal

__all__ = ["Signal"]

"""The kind `silence`: `kind.py` is what is agreed, heard and found, the other files are its parts."""

from seamwatch.clauses.silence.kind import Silence

__all__ = ["Silence"]

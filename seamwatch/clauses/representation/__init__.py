"""The kind `representation`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.representation.kind import Representation

__all__ = ["Representation"]

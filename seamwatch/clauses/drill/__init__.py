"""The kind `drill`: `kind.py` is what is agreed, heard and found, the other files are its parts."""

from seamwatch.clauses.drill.kind import Drill

__all__ = ["Drill"]

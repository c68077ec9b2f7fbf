"""The kind `incident`: `kind.py` is what is agreed, heard and found, the other files are its parts."""

from seamwatch.clauses.incident.kind import Incident

__all__ = ["Incident"]

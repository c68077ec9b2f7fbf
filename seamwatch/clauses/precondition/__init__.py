"""The kind `precondition`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.precondition.kind import Precondition
from seamwatch.clauses.precondition.state import REMEMBERED

__all__ = ["REMEMBERED", "Precondition"]

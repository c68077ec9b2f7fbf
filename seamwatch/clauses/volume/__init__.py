"""The kind `volume`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.volume.kind import Volume

__all__ = ["Volume"]

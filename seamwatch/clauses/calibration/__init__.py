"""The kind `calibration`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.calibration.kind import Calibration

__all__ = ["Calibration"]

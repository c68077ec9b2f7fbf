"""Contracts in the form of the Open Data Contract Standard (ODCS 3.x), both ways; see docs/odcs.md.

Reads and writes plain values; opens no file.
"""

from __future__ import annotations

from seamwatch.odcs.exporting import exported
from seamwatch.odcs.importing import Imported, NotImported, imported

__all__ = ["Imported", "NotImported", "exported", "imported"]

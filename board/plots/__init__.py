"""Plots: what was measured, with what was agreed, as SVG that is drawn on the server; and the same as a table."""

from board.plots.drawing import drawn
from board.plots.series import Bound, Line, Mark, Plot, Point

__all__ = ["Bound", "Line", "Mark", "Plot", "Point", "drawn"]

"""Tests of the loop need stages to drive."""

from __future__ import annotations

from tests.streams.conftest import scene

__all__ = ["scene"]

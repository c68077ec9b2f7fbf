"""For tests of contracts: a stream in this process, with its clock in your hand, and histories loaded in bulk.

No broker and no store; docs/testing.md shows it. Events in a few words are `seamwatch.testing`.
"""

from streams.testing.loading import Load, loaded
from streams.testing.stream import Stream

__all__ = ["Load", "Stream", "loaded"]

"""Expressions: a documented subset of SQL over an event's fields, with one meaning in Python, polars and ClickHouse.

See docs/expressions.md. Importing this package is light; the parser is loaded when the first text is parsed.
"""

from __future__ import annotations

from seamwatch.expressions.expression import Expression

__all__ = ["Expression"]

"""Expression: one condition or value over an event's fields, parsed once when a contract is loaded.

A documented subset of SQL (docs/expressions.md). What it evaluates to is in `closure` (one record), `sql`
(ClickHouse) and `seamwatch.columnar.expressions` (polars); the three agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from seamwatch.expressions.tree import Name, Node, canonical, walk

ExpressionKind = Literal["boolean", "number", "text"]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. Equal when the canonical texts are; ``source`` is what was written, if anything was."""

    text: str
    tree: Node = field(compare=False, repr=False)
    source: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, tree: Node, source: str | None = None) -> Self:
        """The expression of a tree that is already built."""
        return cls(canonical(tree), tree, source)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The expression that a text says.

        Raises ExpressionError, naming the offending word, when it is outside the documented subset.
        """
        return cls.of(_parsed(text), text)

    @property
    def fields(self) -> frozenset[str]:
        """What it reads: fields (``score``), and paths inside one (``arguments.amount``)."""
        return frozenset(node.text for node in walk(self.tree) if isinstance(node, Name))

    @property
    def columns(self) -> frozenset[str]:
        """The fields it reads, without what is reached inside them."""
        return frozenset(node.path[0] for node in walk(self.tree) if isinstance(node, Name))

    def check(self, record_type: str, kind: ExpressionKind = "boolean") -> None:
        """Return when the expression has a meaning for a record type, and gives a value of ``kind``.

        Raises ExpressionError naming the unknown field (with the nearest known one) or the kinds that do not mix.
        """
        from seamwatch.expressions.resolving import resolve

        resolve(self, record_type, kind)

    @property
    def shown(self) -> str:
        """The text, cut short for a message."""
        return self.text if len(self.text) <= 80 else self.text[:77] + "..."

    def __str__(self) -> str:
        return self.text

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _from_document,
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
            json_schema_input_schema=core_schema.str_schema(),
        )


def _from_document(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    if isinstance(value, bool):
        return Expression.parse(str(value).upper())
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not an expression: write a condition such as score > 0.5")  # noqa: TRY004  pydantic's
    return Expression.parse(value)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Node:
    from seamwatch.expressions.parsing import parse_tree

    return parse_tree(text)

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

from seamwatch.errors import ExpressionError
from seamwatch.expressions.shapes import Shape, apart, numbers_of
from seamwatch.expressions.tree import Name, Node, canonical, walk

ExpressionKind = Literal["boolean", "number", "text"]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. Equal when the canonical texts are; ``source`` is what was written, if anything was."""

    text: str
    source: str | None = field(default=None, compare=False, repr=False)
    _tree: Node | None = field(default=None, compare=False, repr=False)
    _shape: Shape | None = field(default=None, compare=False, repr=False)
    _numbers: tuple[float, ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def of(cls, tree: Node, source: str | None = None) -> Self:
        """The expression of a tree that is already built."""
        return cls(canonical(tree), source, tree)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The expression that a text says.

        Raises ExpressionError, naming the offending word, when it is outside the documented subset.
        """
        shaped = numbers_of(text)
        if shaped is not None:
            shape, numbers = _shape_of(shaped[0]), shaped[1]
            if shape is not None:
                return cls(shape.text(numbers), text, None, shape, numbers)
        return cls.of(_parsed(text), text)

    @property
    def tree(self) -> Node:
        """What it says, untyped."""
        if self._tree is not None:
            return self._tree
        assert self._shape is not None
        return self._shape.with_numbers(self._numbers)

    @property
    def shaped(self) -> tuple[Node, tuple[float, ...]]:
        """The same tree with stand-ins for its plain numbers, and these: see `seamwatch.expressions.shapes`."""
        return apart(self.tree) if self._shape is None else (self._shape.tree, self._numbers)

    @property
    def fields(self) -> frozenset[str]:
        """What it reads: fields (``score``), and paths inside one (``arguments.amount``)."""
        return frozenset(name.text for name in self._names())

    @property
    def columns(self) -> frozenset[str]:
        """The fields it reads, without what is reached inside them."""
        return frozenset(name.path[0] for name in self._names())

    def _names(self) -> frozenset[Name]:
        if self._shape is not None:
            return self._shape.names
        return frozenset(node for node in walk(self.tree) if isinstance(node, Name))

    def check(self, record_type: str, kind: ExpressionKind = "boolean") -> None:
        """Return when the expression has a meaning for a record type, and gives a value of ``kind``.

        Raises ExpressionError naming the unknown field (with the nearest known one) or the kinds that do not mix.
        """
        from seamwatch.expressions.resolving import resolve

        if self._shape is not None:
            try:
                resolve(Expression(self._shape.said, None, self._shape.tree), record_type, kind)
            except ExpressionError:
                pass  # said below, with the numbers that were written
            else:
                return
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
def _shape_of(text: str) -> Shape | None:
    """The shape that a text with stand-ins is; None where it is not of the language."""
    from seamwatch.expressions.parsing import parse_tree

    try:
        return Shape.of(parse_tree(text))
    except ExpressionError:
        return None  # what is wrong is said of what was written


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Node:
    from seamwatch.expressions.parsing import parse_tree

    return parse_tree(text)

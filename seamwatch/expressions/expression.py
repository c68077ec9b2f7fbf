"""Expression: one condition or value over an event's fields, parsed once when a contract is loaded.

A documented subset of SQL (docs/expressions.md). What it evaluates to is in `closure` (one record), `sql`
(ClickHouse) and `seamwatch.columnar.expressions` (polars); the three agree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, Literal, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from seamwatch.errors import ExpressionError
from seamwatch.expressions.shapes import Given, Shape, apart, numbers_of, shape_of
from seamwatch.expressions.tree import Node, canonical

ExpressionKind = Literal["boolean", "number", "text"]


class Expression:
    """A parsed expression. Equal when the canonical texts are; ``source`` is what was written, if anything was.

    Its text and its tree are made when they are asked for: of thousands that were parsed, few are looked at.
    """

    __slots__ = ("_shaped", "_text", "_tree", "source")

    def __init__(
        self, tree: Node | None, source: str | None = None, shaped: tuple[Shape, tuple[Given, ...]] | None = None
    ) -> None:
        """Use `of`, `parse` and `seamwatch.expressions.build`."""
        self.source: Final = source
        self._tree = tree
        self._shaped = shaped
        self._text: str | None = None

    @classmethod
    def of(cls, tree: Node, source: str | None = None) -> Self:
        """The expression of a tree that is already built."""
        return cls(tree, source)

    @classmethod
    def parse(cls, text: str) -> Expression:
        """The expression that a text says.

        Raises ExpressionError, naming the offending word, when it is outside the documented subset.
        """
        return _parsed(text)

    @property
    def text(self) -> str:
        """The canonical text: the one of all texts that say the same."""
        if self._text is None:
            self._text = canonical(self._tree) if self._tree is not None else self.shape.text(self.literals)
        return self._text

    @property
    def tree(self) -> Node:
        """What it says, untyped."""
        if self._tree is None:
            self._tree = self.shape.with_literals(self.literals)
        return self._tree

    @property
    def shape(self) -> Shape:
        """What it has in common with those that differ from it by their literals alone."""
        return self._apart[0]

    @property
    def literals(self) -> tuple[Given, ...]:
        """The literals that its shape has stand-ins for."""
        return self._apart[1]

    @property
    def _apart(self) -> tuple[Shape, tuple[Given, ...]]:
        if self._shaped is None:
            assert self._tree is not None
            self._shaped = apart(self._tree)
        return self._shaped

    @property
    def fields(self) -> frozenset[str]:
        """What it reads: fields (``score``), and paths inside one (``arguments.amount``)."""
        return frozenset(name.text for name in self.shape.names)

    @property
    def columns(self) -> frozenset[str]:
        """The fields it reads, without what is reached inside them."""
        return frozenset(name.path[0] for name in self.shape.names)

    def check(self, record_type: str, kind: ExpressionKind = "boolean") -> None:
        """Return when the expression has a meaning for a record type, and gives a value of ``kind``.

        Raises ExpressionError naming the unknown field (with the nearest known one) or the kinds that do not mix.
        """
        from seamwatch.expressions.resolving import resolve

        if not _means(self.shape, record_type, kind):
            resolve(self, record_type, kind)

    @property
    def shown(self) -> str:
        """The text, cut short for a message."""
        return self.text if len(self.text) <= 80 else self.text[:77] + "..."

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Expression, (self.tree, self.source)

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
def _parsed(text: str) -> Expression:
    from seamwatch.expressions.parsing import parse_tree

    shaped = numbers_of(text)
    shape = None if shaped is None else _read_shape(shaped[0], len(shaped[1]))
    if shaped is None or shape is None:
        return Expression.of(parse_tree(text), text)
    return Expression(None, text, (shape, shaped[1]))


@lru_cache(maxsize=4096)
def _read_shape(text: str, count: int) -> Shape | None:
    """The shape that a text with stand-ins is; None where it is not of the language."""
    from seamwatch.expressions.parsing import parse_tree

    try:
        return shape_of(parse_tree(text), count)
    except ExpressionError:
        return None  # what is wrong is said of what was written


@lru_cache(maxsize=4096)
def _means(shape: Shape, record_type: str, kind: ExpressionKind) -> bool:
    """Whether a shape has a meaning: it has the same with any numbers."""
    from seamwatch.expressions.resolving import resolve

    try:
        resolve(Expression.of(shape.tree), record_type, kind)
    except ExpressionError:
        return False
    return True

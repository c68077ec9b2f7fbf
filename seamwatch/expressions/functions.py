"""The functions of the language: their names, how many arguments they take, and of which kinds.

The one list; docs/expressions.md and the parser's refusals come from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Function:
    """One function: argument and result kinds, the least and the most arguments, and one sentence for the docs."""

    argument: Literal["number", "text", "list", "any"]
    result: Literal["number", "text", "boolean", "any"]
    least: int
    most: int
    says: str

    @property
    def takes(self) -> str:
        """How many arguments, in words."""
        if self.most > 2:
            return f"{self.least} or more arguments"
        return "one argument" if self.least == 1 else "two arguments"


_MANY: Final = 100

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "abs": Function("number", "number", 1, 1, "the number without its sign"),
        "array_length": Function("list", "number", 1, 1, "how many items a list holds; NULL for what is no list"),
        "ceil": Function("number", "number", 1, 1, "the next whole number up"),
        "coalesce": Function("any", "any", 1, _MANY, "the first argument that is not absent"),
        "contains": Function("text", "boolean", 2, 2, "whether the first text holds the second"),
        "ends_with": Function("text", "boolean", 2, 2, "whether the first text ends with the second"),
        "floor": Function("number", "number", 1, 1, "the next whole number down"),
        "greatest": Function("number", "number", 1, _MANY, "the largest; absent arguments are passed over"),
        "least": Function("number", "number", 1, _MANY, "the smallest; absent arguments are passed over"),
        "length": Function("text", "number", 1, 1, "how many characters (Unicode code points)"),
        "lower": Function("text", "text", 1, 1, "A to Z as a to z; other characters stay as they are"),
        "round": Function("number", "number", 1, 1, "the nearest whole number; halves go to the even one"),
        "starts_with": Function("text", "boolean", 2, 2, "whether the first text starts with the second"),
        "upper": Function("text", "text", 1, 1, "a to z as A to Z; other characters stay as they are"),
    }
)

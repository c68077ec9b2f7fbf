"""Values that are made a hundred thousand times a second: frozen to the type checker, and to it alone.

A frozen dataclass of Python sets each of its fields by a call, and takes three times as long to make as one that is
not. `value` makes a dataclass whose instances the type checker refuses to change; at run time it leaves out the guard.
For the few classes that a replay is seen to spend its time on; others are frozen dataclasses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(*, order: bool = False) -> Callable[[type[T]], type[T]]:
    """The decorator: slots, and the hash of a frozen dataclass."""
    return dataclass(slots=True, order=order, unsafe_hash=True)

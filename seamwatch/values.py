"""Values that are made a hundred thousand times a second: frozen to the type checker, and to it alone.

A frozen dataclass of Python sets each of its fields by a call, and takes three times as long to make as one that is
not. `value` is `dataclasses.dataclass` to the type checker, which refuses what changes one; at run time it leaves out
the guard. For the few classes that a replay is seen to spend its time on; others are frozen dataclasses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen: bool, slots: bool, order: bool = False):
        """The decorator; hashes are those of a frozen dataclass."""
        return dataclass(slots=slots, order=order, unsafe_hash=frozen)


__all__ = ["value"]

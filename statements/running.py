"""The running system that a statement is for: where its broker is, and what its topics' names start with."""

from __future__ import annotations

from typing import Protocol

from seamwatch.broker import Address


class RunningSystem(Protocol):
    """Where statements go. Asking for a broker that nobody named may raise UnreachableError."""

    @property
    def kafka(self) -> Address:
        """The broker."""

    @property
    def prefix(self) -> str:
        """What every topic's name starts with."""

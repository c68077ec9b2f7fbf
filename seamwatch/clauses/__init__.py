"""The clause kinds: one file a kind, or one folder where a kind has parts, found by themselves.

A module of this package that has a ``class X(Clause, kind="x")`` is a kind; nothing lists them twice. In a folder the
class is in `kind.py`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from seamwatch.clauses.clause import Clause

__all__ = ["Clause", "kinds"]


@cache
def kinds() -> Mapping[str, type[Clause]]:
    """Every clause kind by its name, in alphabetical order."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found = {kind.kind_name: kind for kind in _subclasses(Clause)}
    return MappingProxyType(dict(sorted(found.items())))


def _subclasses(of: type[Clause]) -> list[type[Clause]]:
    found: list[type[Clause]] = []
    for subclass in of.__subclasses__():
        found.extend([subclass] if subclass.kind_name else [])
        found.extend(_subclasses(subclass))
    return found

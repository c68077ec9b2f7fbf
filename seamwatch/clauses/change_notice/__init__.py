"""The kind `change_notice`: `kind.py` is what is agreed, measured and found, the other files are its parts."""

from seamwatch.clauses.change_notice.kind import ChangeKind, ChangeNotice

__all__ = ["ChangeKind", "ChangeNotice"]

"""The kind `follow_up`: `kind.py` is what is agreed, heard and found, the other files are its parts."""

from seamwatch.clauses.follow_up.kind import FollowUp

__all__ = ["FollowUp"]

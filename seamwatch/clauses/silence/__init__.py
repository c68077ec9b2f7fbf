"""The kind `silence`: `kind.py` is what is agreed, heard and found, `statement.py` what people say of one."""

from seamwatch.clauses.silence.kind import Silence

__all__ = ["Silence"]

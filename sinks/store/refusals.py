"""Refusals: what the driver, its HTTP client or the operating system raised, as an error of ours. Asks no store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.client import IncompleteRead

from seamwatch.errors import StoreError, UnreachableError

_CODE = re.compile(r"\bCode:\s*(\d+)|error code (\d+)|ClickHouse error code[^\d]*(\d+)")
_SAID = re.compile(r"(Code: \d+\. DB::Exception: .*?)(?: \(for url [^)]*\))?$")
_STATUS = re.compile(r"HTTP status (\d+)")
_PASSING = {"408", "425", "429", "502", "503", "504"}
"""What a proxy says of a server behind it that is away or overloaded."""
_LAST_WORDS = re.compile(rb"__exception__\r\n(\w+)\r\n(.*)\n\d+ \1\r\n__exception__\r\n\Z", re.DOTALL)
_LONGEST_SAID = 64 * 1024
_MAY_NOT_SET = {164, 452}
"""Of a user who may only read (READONLY), and of one whose profile has it fixed (SETTING_CONSTRAINT_VIOLATION)."""


class StoreRefusedError(StoreError):
    """The store answered with one of ClickHouse's own error codes, kept in ``code``; None where it gave none."""

    def __init__(self, message: str, code: int | None) -> None:
        super().__init__(message)
        self.code = code


def error_of(error: Exception, address: object) -> StoreError | UnreachableError:
    """Our error for one that came of asking the store at an address: a StoreRefusedError where the store spoke."""
    if isinstance(error, OSError):
        return UnreachableError(f"the store at {address} cannot be reached: {_cause(error)}")
    code = getattr(error, "code", None)
    text = " ".join((_said_at_the_end(error) or str(error)).split())
    if code is None and (match := _CODE.search(text)):
        code = int(next(group for group in match.groups() if group))
    status = _STATUS.search(text)
    if code is None and (status is None or status[1] in _PASSING):
        return UnreachableError(f"the store at {address} cannot be reached: {_cause(error)}; is it running?")
    said = _SAID.search(text)
    return StoreRefusedError(f"the store refused: {said[1] if said else text}", code)


def may_not_set(refused: StoreRefusedError) -> bool:
    """Whether it was refused because its user may not change a setting."""
    return refused.code in _MAY_NOT_SET


def is_read_only_already(refused: StoreRefusedError) -> bool:
    """Whether it was refused because its user's profile says itself how read-only they are."""
    return may_not_set(refused) and "'readonly' setting" in str(refused)


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what each came from, the first of all last."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _said_at_the_end(error: BaseException) -> str | None:
    """The store's own error at the end of an answer that broke off: by then it had said that all was well."""
    broken = (each.partial for each in causes_of(error) if isinstance(each, IncompleteRead))
    said = _LAST_WORDS.search(next(broken, b"")[-_LONGEST_SAID:])
    return said[2].decode(errors="replace") if said else None


def _cause(error: BaseException) -> str:
    """What the operating system said when there was no connection; else the error's own words, on one line."""
    said = (each.strerror for each in causes_of(error) if isinstance(each, OSError) and each.strerror)
    return next(said, " ".join(str(error).split()))

from __future__ import annotations

from typing import cast

from console.reach import Reach
from sinks.store.client import Store
from statements.recorded import once_recorded

NOBODY = Reach({"prefix": "somebody"}, "nothing runs here")
NO_STORE = cast("Store", None)  # it is asked by `ask` alone


def test_what_is_stored_between_asking_and_looking_for_it_is_found() -> None:
    answers = iter([[], ["the change"]])
    assert once_recorded(NO_STORE, NOBODY, ("config_change",), lambda: next(answers)) == ["the change"]


def test_what_is_nowhere_is_not_waited_for() -> None:
    nothing: list[list[str]] = [[], []]
    answers = iter(nothing)
    assert once_recorded(NO_STORE, NOBODY, ("config_change",), lambda: next(answers)) == []

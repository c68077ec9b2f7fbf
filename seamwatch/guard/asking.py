"""Asking: whether a measure counts an act, as a Python closure, specialised to the tool that is called.

An act is selected and offends here by the same answers as in the stream (`seamwatch.judging.model.measure`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args

from seamwatch.expressions import Expression
from seamwatch.expressions.build import arguments_of
from seamwatch.expressions.closure import ODD, Evaluate, Row, row_closure
from seamwatch.guard.specialising import constant, for_tool, tools_named
from seamwatch.judging.model.measure import FAILS, HOLDS, SELECTED, Answer, Measure

Condition = Callable[[Row], bool]
_LASTING: Final = frozenset({"tool", "arguments"})
"""What of an act is the same before and after the guard has decided."""


def condition_of(measure: Measure, tool: str | None) -> Condition | None:
    """Whether the measure counts an act as one that offends, for one tool if that is known; None when it never does."""
    assert measure.breach is not None
    offends = _among(measure.breach, measure.offends, measure.source, tool)
    if measure.select is None or offends is None:
        return offends
    selected = _among(measure.select, SELECTED, measure.source, tool)
    if selected is None or selected is _always:
        return None if selected is None else offends
    if offends is _always:
        return selected
    return lambda row: offends(row) and selected(row)


def named(measure: Measure) -> frozenset[str]:
    """The tools that a measure's conditions name; all others are alike to it."""
    conditions = (condition for condition in (measure.select, measure.breach) if condition is not None)
    return frozenset().union(*(tools_named(condition) for condition in conditions))


def _among(condition: Expression, answers: frozenset[Answer], source: str, tool: str | None) -> Condition | None:
    """Whether the answer of a condition is one of these; None when it never is, `_always` when it always is."""
    left = condition if tool is None else for_tool(condition, tool)
    fixed = constant(left)
    if fixed is not None:
        return _always if ("true" if fixed else "false") in answers else None
    if not answers:
        return None
    run = row_closure(left, source)
    if answers == HOLDS:
        return lambda row: run(row) is True
    if answers == FAILS:
        return lambda row: run(row) is not True
    # What is asked for is what the whole condition names, as in the stream.
    paths = tuple(sorted(arguments_of(condition)))
    true, false, odd, missing, absent = (answer in answers for answer in get_args(Answer))

    if left.columns <= _LASTING:
        run = _once(run, left.text)

    def holds(row: Row) -> bool:
        value = run(row)
        if value is False:
            return false
        if value is True:
            return true
        if value is ODD:
            return odd
        return missing if any(row.argument(path) is None for path in paths) else absent

    return holds


def _once(run: Evaluate, name: str) -> Evaluate:
    """The same, computed once for each row: a prohibition asks whether it holds, and whether an argument is missing."""

    def remembered(row: Row) -> Any:
        value = row.answers.get(name, row)
        if value is row:
            value = row.answers[name] = run(row)
        return value

    return remembered


def _always(_row: Row) -> bool:
    return True

"""No test takes a busy machine for a fault: none gives what must come a few seconds, or says how fast it was."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.waiting import wait_for

LEAST_SECONDS: Final = 15
_CLOCKS: Final = frozenset({"monotonic", "perf_counter"})
_WAITING: Final = frozenset(
    {"wait", "join", "result", "communicate", "get", "run", "check_output", "urlopen", "flush", "wait_for"}
)


def hasty(tree: ast.AST) -> Iterator[int]:
    """The lines that wait for some seconds only, or that compare how many have gone by with a few."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in _WAITING:
            given = [argument.value for argument in node.keywords if argument.arg in ("timeout", "seconds", "patience")]
            if any(map(_is_few, [*given, *(node.args[-1:] if _called(node) in ("wait", "join", "flush") else ())])):
                yield node.lineno
        elif (
            isinstance(node, ast.Compare)
            and isinstance(node.left, ast.BinOp)
            and isinstance(node.left.op, ast.Sub)
            and isinstance(node.left.left, ast.Call)
            and _called(node.left.left) in _CLOCKS
            and isinstance(node.ops[0], ast.Lt | ast.LtE)
            and _is_few(node.comparators[0])
        ):
            yield node.lineno


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_few(value: ast.expr) -> bool:
    """Some seconds; less than one is how often somebody looks."""
    return isinstance(value, ast.Constant) and isinstance(value.value, int | float) and 1 < value.value < LEAST_SECONDS


def test_no_test_is_hasty() -> None:
    files = sorted(Path(__file__).parent.rglob("*.py"))
    assert len(files) > 400
    found = [f"{file}:{line}" for file in files for line in hasty(ast.parse(file.read_text("utf-8")))]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "process.wait(10)",
        "thread.join(5)",
        "answered.get(timeout=10)",
        "subprocess.run(['ls'], timeout=5)",
        "wait_for(holds, 'it', patience=2)",
        "assert time.monotonic() - began < 5",
    ],
)
def test_what_is_hasty_is_seen(line: str) -> None:
    assert list(hasty(ast.parse(line))) == [1]


@pytest.mark.parametrize(
    "line", ["process.wait(PATIENCE)", "stop.wait(0.2)", "', '.join(names)", "assert time.monotonic() - began < 60"]
)
def test_what_is_patient_is_not(line: str) -> None:
    assert list(hasty(ast.parse(line))) == []


def test_what_does_not_come_in_time_is_named() -> None:
    with pytest.raises(AssertionError, match=r"the page: waited 0 s"):
        wait_for(lambda: False, "the page", every=0.001, patience=0.01)
    with pytest.raises(AssertionError, match=r"its log: waited 0 s"):
        wait_for(lambda: False, lambda: "its log", every=0.001, patience=0.01)

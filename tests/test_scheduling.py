"""Which files are run beside one another: two heavy ones at most, and none beside the one that stands no other.

While both are left, two that wait for stages run beside whatever computes.
"""

from __future__ import annotations

from pathlib import Path

from tests.scheduling import is_heavy, next_scope, waits

ROOT = Path(__file__).parent.parent
DEMO = "tests/demo/test_demo.py"
STORIES = "tests/stories/"
LIGHT = "tests/test_exports.py"
FOLLOWS = "tests/streams/judge/test_unreadable.py"
HEAVY = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "tests").rglob("test_*.py")
    if str(path.relative_to(ROOT)) not in (DEMO, "tests/test_scheduling.py") and is_heavy(str(path.relative_to(ROOT)))
)


def test_what_starts_systems_of_its_own_is_heavy() -> None:
    assert is_heavy(DEMO)
    assert is_heavy(STORIES)
    assert len(HEAVY) > 5
    assert not is_heavy(LIGHT)


def test_two_heavy_ones_run_at_once_and_what_is_light_fills_the_rest() -> None:
    first, second, third = HEAVY[:3]
    assert next_scope([first, LIGHT], []) == first
    assert next_scope([second, LIGHT], [[first], [LIGHT]]) == second
    assert next_scope([third, LIGHT], [[first], [second]]) == LIGHT
    assert next_scope([third], [[first], [second]]) == third


def test_nothing_heavy_runs_beside_the_one_that_stands_no_other() -> None:
    heavy = HEAVY[0]
    assert next_scope([DEMO, heavy, LIGHT], []) == DEMO
    assert next_scope([heavy, LIGHT], [[DEMO], []]) == LIGHT
    assert next_scope([DEMO, LIGHT], [[heavy], []]) == LIGHT
    assert next_scope([heavy, LIGHT], [[], [LIGHT]]) == heavy


def test_two_that_wait_run_beside_what_computes_for_as_long_as_both_are_left() -> None:
    assert waits(FOLLOWS)
    assert waits(HEAVY[0])
    assert not waits(LIGHT)
    assert next_scope([LIGHT, FOLLOWS], [[HEAVY[0]]]) == FOLLOWS
    assert next_scope([FOLLOWS, LIGHT], [[HEAVY[0]], [FOLLOWS]]) == LIGHT
    assert next_scope([FOLLOWS], [[HEAVY[0]], [FOLLOWS], [LIGHT]]) == FOLLOWS
    assert next_scope([LIGHT], [[LIGHT], []]) == LIGHT

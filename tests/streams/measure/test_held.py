"""Of which systems traffic is measured for what is suspended: those of which something was said."""

from __future__ import annotations

from seamwatch.durations import DAY
from streams.measure import held
from streams.measure.held import KEPT_FOR, Standing

NOW = 1_772_442_000_000_000


def test_a_system_is_held_from_the_first_word_about_it_until_long_after_the_last() -> None:
    standing = Standing()
    assert standing.systems(NOW) == frozenset()
    standing.claimed("agent", NOW)
    standing.claimed("agent", NOW - DAY)  # another partition is read later
    assert standing.systems(NOW + KEPT_FOR - 1) == {"agent"}
    assert standing.systems(NOW + KEPT_FOR) == frozenset()


def test_what_is_suspended_is_held_however_long_ago_that_was_said() -> None:
    standing = Standing()
    standing.concluded("refund", "agent", suspended=True, at=NOW)
    standing.concluded("pay", "agent", suspended=True, at=NOW)
    standing.concluded("pay", "agent", suspended=False, at=NOW)
    assert standing.systems(NOW + 10 * KEPT_FOR) == {"agent"}
    standing.concluded("refund", "agent", suspended=False, at=NOW + DAY)
    assert standing.systems(NOW + DAY) == {"agent"}
    assert standing.systems(NOW + DAY + KEPT_FOR) == frozenset()


def test_whoever_names_very_many_systems_fills_no_memory() -> None:
    standing = Standing()
    for number in range(held.MOST + 10):
        standing.claimed(f"s{number}", NOW)
    found = standing.systems(NOW)
    assert len(found) == held.MOST
    assert "s9" not in found
    assert f"s{held.MOST + 9}" in found

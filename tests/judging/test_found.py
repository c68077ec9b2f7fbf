"""How a violation was found goes beside it as a header; one of another release is read as far as it is known."""

from __future__ import annotations

import json

import pytest

from seamwatch.judging.found import HEADER, Found, found_of, header_of
from seamwatch.judging.model.held import Held

FOUND = Found(
    1_000, 5_000_000, 2_000_000, (Held(1, 2, (("seamwatch.outcome", 3, None), ("t", 0, 7)), 9, 12),), "1,2,3.5"
)


@pytest.mark.parametrize("found", [FOUND, Found(None, 1, 2)])
def test_it_comes_back_as_it_was(found: Found) -> None:
    name, value = header_of(found)
    assert name == HEADER
    assert found_of(value) == found
    assert found_of(value.decode()) == found


def test_what_a_later_release_added_is_passed_over_and_what_cannot_be_read_says_nothing() -> None:
    _, value = header_of(FOUND)
    assert found_of(json.dumps({**json.loads(value), "later": 1})) == FOUND
    assert found_of(json.dumps({"measured_at": 1})) is None
    assert found_of(b"\xff{") is None
    assert found_of(None) is None

"""A template shows what may be written, as a person would write it."""

from __future__ import annotations

import re

import pytest

from seamwatch.clauses import kinds
from seamwatch.documents.template import template


@pytest.mark.parametrize("kind", kinds())
def test_durations_are_written_as_people_agree_them(kind: str) -> None:
    shown = [line.partition("  # ")[0] for line in template(kind).splitlines()]
    assert not [line for line in shown if re.search(r": \d{7,}$", line.rstrip())]

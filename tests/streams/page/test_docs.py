"""The page on paging holds: the bytes that are signed, and an agent of one's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

from seamwatch.signatures import acknowledgement_bytes

PAGE = (Path(__file__).parents[3] / "docs" / "paging.md").read_text(encoding="utf-8")


def test_the_documented_bytes_are_those_that_are_signed() -> None:
    (example,) = re.findall(r"```json\n(.*?)\n```", PAGE, flags=re.DOTALL)
    assert acknowledgement_bytes(json.loads(example)) == example.encode()


def test_the_documented_agent_is_ten_lines_of_python() -> None:
    (example,) = re.findall(r"```python\n(.*?)\n```", PAGE, flags=re.DOTALL)
    compile(example, "docs/paging.md", "exec")
    assert len([line for line in example.splitlines() if line]) <= 10

"""The worked example of a clause kind: the YAML in its file's docstring, so that what the page shows is tested."""

from __future__ import annotations

import sys

from seamwatch.clauses import Clause


def worked_example(kind: type[Clause]) -> str:
    """The first YAML block of the docstring of the kind's file."""
    text = sys.modules[kind.__module__].__doc__ or ""
    return text.split("```yaml\n", 1)[1].split("```", 1)[0]

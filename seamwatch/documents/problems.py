"""Problems: what is wrong with documents, each at a line of a file, in words the author can act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem. An error keeps the folder from being used; a warning does not. Sorted by place."""

    file: str
    line: int
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        mark = "" if self.severity == "error" else "warning: "
        return f"{self.file}:{self.line}: {mark}{self.message}"


def is_error(problem: Problem) -> bool:
    """Whether it keeps the folder from being used."""
    return problem.severity == "error"

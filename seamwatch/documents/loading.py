"""Loading: a folder of YAML to an estate, or to every problem in it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from seamwatch.collector import unhurried_collector
from seamwatch.documents.attached import REFERENCE, attaches, check_reference, with_attached
from seamwatch.documents.contract import Contract
from seamwatch.documents.estate import Estate
from seamwatch.documents.files import documents_below
from seamwatch.documents.models import Document, Person, System
from seamwatch.documents.problems import Problem, is_error
from seamwatch.documents.reading import Place, Written
from seamwatch.documents.reading_many import read_files
from seamwatch.documents.references import Read, check
from seamwatch.documents.risk_policy import RiskPolicy
from seamwatch.documents.rota import Rota
from seamwatch.documents.rota_references import check_rotas
from seamwatch.documents.sense import check_sense
from seamwatch.documents.signing import SignatureLine, read_signatures, signature_file, signatures_under
from seamwatch.documents.terms import check_versions, policy_terms_of, terms_of
from seamwatch.documents.tier_references import check_tiers
from seamwatch.documents.wording import problems_of
from seamwatch.errors import DocumentError, UsageError

DOCUMENT_KINDS: Final[Mapping[str, type[Document]]] = MappingProxyType(
    {model.kind_name: model for model in (Person, System, Contract, RiskPolicy, Rota)}
)


@dataclass(frozen=True)
class Loaded:
    """What lies below a folder: its documents as they were read, and every problem in and between them, by place."""

    reads: Sequence[Read]
    problems: Sequence[Problem]

    @property
    def errors(self) -> list[Problem]:
        """The problems that keep the folder from being used."""
        return [problem for problem in self.problems if is_error(problem)]

    def estate(self) -> Estate:
        """The estate; raises DocumentError with every error, one a line."""
        if errors := self.errors:
            raise DocumentError("\n".join(map(str, errors)))
        estate = estate_of_documents(read.document for read in self.reads if read.document is not None)
        return replace(estate, signatures=MappingProxyType(signatures_beside(self.reads)))


def signatures_beside(reads: Sequence[Read]) -> dict[str, tuple[SignatureLine, ...]]:
    """The signatures under each version of a contract or risk policy, as it is written, in the files beside; by key."""
    files: dict[str, list[SignatureLine]] = {}
    found = {}
    for read in reads:
        if read.document is not None and read.document.versioned:
            file = read.written.file
            if file not in files:
                files[file] = read_signatures(signature_file(file))[0]
            if lines := signatures_under(read.document, files[file]):
                found[read.document.key] = lines
    return found


def load(folder: Path, *, forks: bool = False) -> Loaded:
    """All *.yaml and *.yml files below a folder (or one file), looked at once. ``forks``: see `read_files`.

    Raises UsageError when there is no such folder.
    """
    return Folder(folder).load(forks=forks)


class Folder:
    """A folder that is loaded now and again: of its files those are read that have changed since."""

    def __init__(self, folder: Path) -> None:
        self.path: Final = folder
        self._known: dict[Path, tuple[tuple[int, int, int], list[Read], list[Problem]]] = {}

    def load(self, *, forks: bool = False) -> Loaded:
        """What lies there now. ``forks``: see `read_files`. Raises UsageError when there is no such folder."""
        if not self.path.exists():
            raise UsageError(f"{self.path} does not exist: name a folder of YAML documents")
        files, problems = documents_below(self.path)
        reads: list[Read] = []
        known = {}
        with unhurried_collector():
            stamps = {path: _stamp(path) for path in files}
            changed = [path for path in files if stamps[path] is None or self._stamp_known(path) != stamps[path]]
            fresh = dict(zip(changed, map(_documents_of, read_files(changed, forks=forks)), strict=True))
            for path in files:
                stamp = stamps[path]
                found, wrong = fresh[path] if path in fresh else self._known[path][1:]
                if stamp is not None and not any(attaches(read.written) for read in found):
                    known[path] = stamp, found, wrong
                reads += found
                problems += wrong
            problems.extend(check(reads))
            problems.extend(check_versions(reads))
            problems.extend(check_tiers(reads))
            problems.extend(check_rotas(reads))
            problems.extend(check_sense(reads))
        self._known = known
        problems.sort()
        return Loaded(reads, problems)

    def _stamp_known(self, path: Path) -> tuple[int, int, int] | None:
        kept = self._known.get(path)
        return None if kept is None else kept[0]


def load_folder(folder: Path) -> tuple[Estate | None, list[Problem]]:
    """The estate of a folder, and every problem, by place. The estate is None when any problem is an error.

    Raises UsageError when there is no such folder.
    """
    loaded = load(folder)
    return None if loaded.errors else loaded.estate(), list(loaded.problems)


def load_estate(folder: Path) -> Estate:
    """The estate of a folder; raises DocumentError with every error, one a line."""
    return load(folder).estate()


def read_folder(folder: Path, *, forks: bool = False) -> tuple[list[Read], list[Problem]]:
    """The documents of a known kind below a folder, and what is wrong with each in itself."""
    if not folder.exists():
        raise UsageError(f"{folder} does not exist: name a folder of YAML documents")
    documents: list[Read] = []
    files, problems = documents_below(folder)
    for found, wrong in map(_documents_of, read_files(files, forks=forks)):
        documents += found
        problems += wrong
    return documents, problems


def _documents_of(file: tuple[list[Written], list[Problem]]) -> tuple[list[Read], list[Problem]]:
    written_there, problems = file
    documents: list[Read] = []
    for written in written_there:
        read, wrong = _document(written)
        problems.extend(wrong)
        if read is not None:
            documents.append(read)
    return documents, problems


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None  # what cannot be looked at is told when it is read
    return status.st_mtime_ns, status.st_size, status.st_ino


def estate_of_documents(documents: Iterable[Document]) -> Estate:
    """The estate of documents that fit together, each contract in force from when it says, or for all time."""
    known = list(documents)
    return Estate(
        MappingProxyType({d.id: d for d in known if isinstance(d, Person)}),
        MappingProxyType({d.id: d for d in known if isinstance(d, System)}),
        tuple(terms_of((d, None) for d in known if isinstance(d, Contract))),
        policies=tuple(policy_terms_of((d, None) for d in known if isinstance(d, RiskPolicy))),
        rotas=MappingProxyType({d.id: d for d in known if isinstance(d, Rota)}),
    )


def _document(written: Written) -> tuple[Read | None, list[Problem]]:
    content = written.content
    if not isinstance(content, Mapping):
        return None, [_problem(written, (), "is no document: write keys and values, such as kind: System")]
    kind = content.get("kind")
    known = ", ".join(DOCUMENT_KINDS)
    if kind == REFERENCE:
        return None, check_reference(written)
    if kind is None:
        return None, [_problem(written, (), f"the document lacks 'kind': it is one of {known}")]
    model = DOCUMENT_KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        close = difflib.get_close_matches(str(kind).capitalize(), DOCUMENT_KINDS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {known}"
        return None, [_problem(written, ("kind",), f"unknown kind {kind!r} of document: {hint}")]
    problems: list[Problem] = []
    if model is Contract:
        written, problems = with_attached(written)
    try:
        document = model.model_validate(written.content)
    except ValidationError as error:
        return Read(kind, written, None), [*problems, *problems_of(error, model, written)]
    return Read(kind, written, None if problems else document), problems


def _problem(written: Written, place: Place, message: str) -> Problem:
    return Problem(written.file, written.line(place), message)

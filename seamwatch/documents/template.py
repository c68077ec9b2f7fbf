"""Templates: a document or clause to start from, made from the models that will read it.

Required keys are filled in with examples, optional ones are there as comments with their defaults; every key says what
it means. A person, a system and a contract as they come out fit together.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from seamwatch.clauses import Clause, kinds
from seamwatch.documents.defaults import DEFAULTS, written
from seamwatch.documents.loading import DOCUMENT_KINDS
from seamwatch.durations import Duration, compact_duration
from seamwatch.errors import UsageError

_WIDTH = 44
_DURATION = Duration.__metadata__[0]  # type: ignore[attr-defined]
_FILLED = {
    "Contract": {
        "parties": "\n  provider: {team: credit-models, signatory: owner@example.org}\n"
        "  consumer: {team: product, signatory: owner@example.org}",
        "clauses": None,
    }
}


def template(kind: str) -> str:
    """The commented YAML of a document kind (person, system, contract, …) or of a clause kind; `defaults`, as built in.

    Raises UsageError, with the nearest known kind, for any other word.
    """
    document = next((model for name, model in DOCUMENT_KINDS.items() if name.lower() == kind.lower()), None)
    if document is not None:
        return "\n".join(_document(document)) + "\n"
    if kind == DEFAULTS:
        return "\n".join(_defaults()) + "\n"
    clause = kinds().get(kind)
    if clause is not None:
        return "\n".join(_clause(clause, "")) + "\n"
    known = [*(name.lower() for name in DOCUMENT_KINDS), DEFAULTS, *kinds()]
    close = difflib.get_close_matches(kind, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
    raise UsageError(f"there is no kind {kind!r}: {hint}")


def _document(model: type[BaseModel]) -> Iterator[str]:
    kind = model.model_fields["kind"].default
    yield "# " + (inspect.getdoc(model) or "").splitlines()[0]
    yield "apiVersion: seamwatch/v1"
    yield f"kind: {kind}"
    for name, info in model.model_fields.items():
        key = info.alias or name
        if key in ("apiVersion", "kind"):
            continue
        if key == "clauses":
            yield _said("clauses:", info)
            yield from _clause(kinds()["approval"], "  ")
        elif key in _FILLED.get(kind, {}):
            yield _said(f"{key}:", info) + str(_FILLED[kind][key])
        elif info.is_required():
            yield _said(f"{key}: {_example(info)}", info)
        else:
            yield "# " + _said(f"{key}: {_example(info)}", info)


def _defaults() -> Iterator[str]:
    yield "# What holds for every system that no contract covers. To replace it, give it a version of your own."
    for key, value in written().items():
        if key == "clauses":
            yield "clauses:"
            yield from (f"  - {_yaml(clause)}" for clause in value)
        else:
            yield f"{key}: {_yaml(value)}"


def _clause(kind: type[Clause], indent: str) -> Iterator[str]:
    module = sys.modules[kind.__module__]
    written = _docstring_example(module.__doc__ or "")
    for line in written:
        key = re.fullmatch(r"[- ] ([a-z_]+):.*", line)
        info = kind.model_fields.get(key.group(1)) if key else None
        yield indent + (_said(line, info) if info is not None and key else line)
    given = {m.group(1) for line in written if (m := re.match(r"[- ] ([a-z_]+):", line))}
    for name, info in kind.model_fields.items():
        key_name = info.alias or name
        if key_name not in given:
            yield f"{indent}  # " + _said(f"{key_name}: {_example(info)}", info)


def _docstring_example(text: str) -> list[str]:
    found = re.search(r"```yaml\n(.*?)```", inspect.cleandoc(text), re.DOTALL)
    assert found is not None, "a clause kind's docstring shows it in YAML"
    # One person, so that a template fits to that of a person.
    return re.sub(r"[a-z]+@example\.org", "owner@example.org", found.group(1)).rstrip().splitlines()


def _said(line: str, info: FieldInfo) -> str:
    return f"{line.ljust(_WIDTH)}  # {info.description}" if info.description else line


def _example(info: FieldInfo) -> str:
    if info.examples:
        return _yaml(info.examples[0])
    if info.default is PydanticUndefined or info.default is None:
        return "…" if _is_text(info) else ""
    if _is_duration(info) and isinstance(info.default, int):
        return compact_duration(info.default)
    return _yaml(info.default)


def _is_duration(info: FieldInfo) -> bool:
    """Whether a field takes durations, alone or beside something else (`Duration | None`)."""
    beside = get_args(info.annotation)
    return _DURATION in info.metadata or any(_DURATION in getattr(each, "__metadata__", ()) for each in beside)


def _is_text(info: FieldInfo) -> bool:
    return "str" in str(info.annotation) or "Expression" in str(info.annotation)


def _yaml(value: Any) -> str:
    if isinstance(value, str):
        # A number in the model's text fields is written in quotes, so that 1.10 stays 1.10.
        return json.dumps(value) if _reads_as_other(value) else value
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, default=str)


def _reads_as_other(text: str) -> bool:
    try:
        return isinstance(ast.literal_eval(text), int | float)
    except (ValueError, SyntaxError):
        return bool(re.search(r"[:#{}\[\],&*!|>%@`]\s|^[\[{\"'*&]|\$\{", text))

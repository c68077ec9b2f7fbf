"""Wording: pydantic's errors about a document, said at the right line in the author's words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from seamwatch.clauses import Clause, kinds
from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Place, Written
from seamwatch.errors import ExpressionError
from seamwatch.expressions import Expression


def problems_of(error: ValidationError, model: type[BaseModel], written: Written) -> list[Problem]:
    """One problem for each thing that pydantic found."""
    details = error.errors(include_url=False)
    # A list whose items are all wrong is not also too short.
    return [_problem(d, model, written) for d in details if not (d["type"] == "too_short" and d["input"])]


def _problem(detail: ErrorDetails, model: type[BaseModel], written: Written) -> Problem:
    place: Place = tuple(detail["loc"])
    owner = whose(written.content, place)
    word = str(place[-1]) if place else ""
    match detail["type"]:
        case "extra_forbidden":
            known = _keys(_model_at(model, place[:-1], written.content))
            message = f"unknown key {word!r} in {owner}{nearest(word, known)}"
        case "missing":
            says = _description(_model_at(model, place[:-1], written.content), word)
            message = f"{owner} lacks {word!r}{': ' + says if says else ''}"
            place = place[:-1]
        case "literal_error":
            expected = str(detail.get("ctx", {}).get("expected", ""))
            known = [part.strip("' ") for part in expected.replace(" or ", ", ").split(",")]
            close = (
                nearest(str(detail["input"]), known) if difflib.get_close_matches(str(detail["input"]), known) else ""
            )
            message = (
                f"{_named(place)} of {owner} is {_shown(detail['input'])}: it is {expected}{close.replace(':', ';')}"
            )
        case "value_error":
            cause = detail.get("ctx", {}).get("error")
            message, place = _said(str(cause), place, owner, written), _pointed(cause, place, written)
        case "too_short":
            message = f"{_named(place)} of {owner} is empty: list at least one"
        case _:
            text = detail["msg"].replace("Input should", "it should").replace("String should", "it should")
            text = text.replace("a valid tuple", "a list")  # pydantic's word for what YAML calls a list
            message = f"{_named(place)} of {owner} is {_shown(detail['input'])}: {text[0].lower()}{text[1:]}"
    return Problem(written.file, written.line(place), message)


def whose(content: Any, place: Place) -> str:
    """The document or clause that a place belongs to: ``clause 'fresh' (freshness)``, ``system 'credit-model'``."""
    if len(place) >= 2 and place[0] == "clauses" and isinstance(place[1], int):
        clause = _at(content, place[:2])
        if isinstance(clause, Mapping):
            return f"clause {clause.get('id', place[1])!r} ({clause.get('kind', 'of no kind')})"
    if isinstance(content, Mapping):
        return f"{str(content.get('kind', 'document')).lower()} {content.get('id', '')!r}"
    return "the document"


def _named(place: Place) -> str:
    names = [part for part in place if isinstance(part, str)]
    if not names:
        return "the document"
    if isinstance(place[-1], int):
        return f"item {place[-1] + 1} of {names[-1]!r}"
    return repr(names[-1])


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _said(text: str, place: Place, owner: str, written: Written) -> str:
    if text.startswith(("clause ", "unknown kind", "a clause")):
        return text
    value = _at(written.content, place)
    if place and not isinstance(value, Mapping | list):
        return f"{_named(place)} of {owner}: {text}"
    return f"{owner}: {text}"


def _pointed(cause: Any, place: Place, written: Written) -> Place:
    """The place inside a mapping that an error about the whole of it means: its expression, or the key it names."""
    value = _at(written.content, place)
    if not isinstance(value, Mapping | list):
        return place
    if isinstance(cause, ExpressionError):
        meant = (inner for inner, text in _texts(value, place) if _is_about(cause, text))
        return next(meant, place)
    message = str(cause)
    if isinstance(value, Mapping):
        named = [key for key in value if isinstance(key, str) and key in _words(message) and key != "id"]
        named.sort(key=message.find)
        if named:
            return (*place, named[0])
    return place


def _words(message: str) -> set[str]:
    return {word.strip("'\",.:;()`") for word in message.split()}


def _is_about(error: ExpressionError, text: str) -> bool:
    try:
        return str(error).endswith(f"(in {Expression.parse(text).shown!r})")
    except ExpressionError:
        return False


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*place, index))


def _at(content: Any, place: Place) -> Any:
    for part in place:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return None
    return content


def nearest(word: str, known: Sequence[str]) -> str:
    """``: did you mean …?``, else what is known; empty when nothing is."""
    close = difflib.get_close_matches(word, known, n=1)
    return f": did you mean {close[0]!r}?" if close else (f": known are {', '.join(known)}" if known else "")


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()] if model is not None else []


def _description(model: type[BaseModel] | None, key: str) -> str:
    if model is None:
        return ""
    fields = {info.alias or name: info.description or "" for name, info in model.model_fields.items()}
    return fields.get(key, "")


def _model_at(model: type[BaseModel] | None, place: Place, content: Any) -> type[BaseModel] | None:
    """The model of the mapping at a place."""
    for depth, part in enumerate(place):
        if model is None:
            return None
        if isinstance(part, int):
            if model is Clause:
                clause = _at(content, place[: depth + 1])
                model = kinds().get(str(clause.get("kind"))) if isinstance(clause, Mapping) else None
            continue
        info = next((i for name, i in model.model_fields.items() if part in (name, i.alias)), None)
        model = _model_in(info.annotation) if info is not None else None
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner)) is not None), None)

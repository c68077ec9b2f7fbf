"""Stated: the JSON that a person signs in an attestation, read back by a model of what it may say.

Reads and writes text; what a statement means is the clause's that takes it.
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

MOST_BYTES: Final = 16_384

Model = TypeVar("Model", bound=BaseModel)
Said = TypeVar("Said")


def stated_text(said: BaseModel) -> str:
    """The canonical JSON of a statement: what is signed and sent."""
    return json.dumps(said.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_of(text: str | None, most: int = MOST_BYTES) -> Any:
    """The content of such JSON, of ``most`` bytes. Raises ValueError, whose text says what is missing or wrong."""
    if text is None:
        raise ValueError("it states nothing")
    if len(text.encode(errors="replace")) > most:
        raise ValueError(f"its statement has more than {most:,} bytes")
    try:
        return json.loads(text, object_pairs_hook=_single_keys)
    except RecursionError:
        raise ValueError("its statement is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"its statement is no JSON: {error}") from None


def read_as(model: type[Model], content: Any) -> Model:
    """The statement of content that was read, of YAML as well. Raises ValueError, which names the place."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ValueError(_first_fault(error)) from None


def read_state(states: TypeAdapter[Said], text: str | None, made_by: str, most: int = MOST_BYTES) -> Said:
    """The statement of JSON that is one of several, told apart by its ``state``; ``made_by`` says what makes such.

    Raises ValueError, whose text says what is missing or wrong.
    """
    if text is None:
        raise ValueError(f"it states nothing: {made_by}")
    content = content_of(text, most)
    try:
        return states.validate_python(content)
    except ValidationError as error:
        # The first part of a place is the kind of statement that it was taken for.
        raise ValueError(f"its statement: {_first_fault(error, skipped=1)}") from None


def _first_fault(error: ValidationError, skipped: int = 0) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"][skipped:])
    said = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {said}" if place else said


def _single_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key of its statement stands twice")
    return found

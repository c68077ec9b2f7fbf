"""Problems: every error of the API in one shape, that of RFC 9457."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from fastapi import Response
from pydantic import BaseModel, Field

MEDIA_TYPE: Final = "application/problem+json"


class Problem(BaseModel):
    """What is wrong, and what to do about it."""

    type: str = Field(description="`about:blank`: the status says what kind of problem it is")
    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="what is wrong, and what to do about it")


def problem(status: int, detail: str) -> Response:
    """An answer that says what is wrong."""
    said = Problem(type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Response(said.model_dump_json(), status, {"Cache-Control": "no-store", **headers}, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses as OpenAPI has them."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }

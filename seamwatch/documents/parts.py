"""Parts: what every document and every part of one is made of, and what is kept of what was written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from seamwatch.documents.canonical import digest_of
from seamwatch.documents.fields import Identifier


class Part(BaseModel):
    """A part of a document: unknown keys are errors, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Document(Part):
    """A whole document; keeps what was written, which is what is published and signed."""

    kind_name: ClassVar[str]
    versioned: ClassVar[bool] = False
    """Whether it has a version, and the first text that was published under one holds."""

    api_version: Literal["seamwatch/v1"] = Field(
        "seamwatch/v1", alias="apiVersion", description="the version of the documents' form"
    )
    id: Identifier

    _written: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        document = handler(data)
        if isinstance(data, Mapping):
            document._written = dict(data)  # noqa: SLF001  its own
        return document

    @property
    def written(self) -> Mapping[str, Any]:
        """The document's plain content, as written."""
        return self._written

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of what was written."""
        return digest_of(self._written)

    @property
    def key(self) -> str:
        """The key under which it is published."""
        return f"{self.kind_name}/{self.id}"

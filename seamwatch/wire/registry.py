"""The Confluent schema registry, over HTTP: the schema of an id, and the id of a schema.

A thin client of the two calls that we need. It caches nothing; `seamwatch.wire.writers` does.
"""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from seamwatch.errors import UndecodableRecord, UnreachableError, UsageError
from seamwatch.wire.schemas import Definition

if TYPE_CHECKING:
    from pydantic import SecretStr

    from seamwatch.settings import Settings

_UNKNOWN_SCHEMA = 404
_CONTENT = "application/vnd.schemaregistry.v1+json"


class SchemaRegistry:
    """A registry at ``url`` (``http://user:password@host:port`` for one that asks who calls)."""

    def __init__(
        self, url: str, timeout: float = 5.0, login: tuple[str, SecretStr] | None = None, ca: Path | None = None
    ) -> None:
        """``login`` says who asks, before what the URL says; ``ca``: the certificates that its own is checked by."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            # What was written is not shown: it may hold a password.
            wanted = "SEAMWATCH_SCHEMA_REGISTRY_URL: write an address such as http://registry.example.org:8081"
            raise UsageError(wanted)
        port = f":{parts.port}" if parts.port else ""
        self.url = f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"
        self._timeout = timeout
        self._headers = {"Accept": _CONTENT, "Content-Type": _CONTENT}
        self._context = _context(ca) if parts.scheme == "https" else None
        name, secret = urllib.parse.unquote(parts.username or ""), urllib.parse.unquote(parts.password or "")
        if login is not None:
            name, secret = login[0], login[1].get_secret_value()
        if name:
            token = base64.b64encode(f"{name}:{secret}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The one that the settings name; None when they name none. Raises UsageError where half is said."""
        if settings.schema_registry_url is None:
            return None
        return cls(settings.schema_registry_url, login=settings.registry_login(), ca=settings.schema_registry_ca)

    def definition(self, schema_id: int) -> Definition:
        """The schema of an id.

        Raises UndecodableRecord when the registry does not know it, UnreachableError when there is no answer.
        """
        answer = self._call("GET", f"/schemas/ids/{schema_id}")
        if answer is None:
            raise UndecodableRecord(f"unknown schema id {schema_id}: the registry at {self.url} does not know it")
        if answer.get("schemaType", "AVRO") != "AVRO":
            raise UndecodableRecord(f"schema id {schema_id} is {answer['schemaType']}, not Avro")
        try:
            return cast(Definition, json.loads(answer["schema"]))
        except (KeyError, ValueError) as error:
            raise UnreachableError(f"the registry at {self.url} gave no schema for id {schema_id}: {error}") from error

    def register(self, subject: str, definition: Definition) -> int:
        """The id of a schema under a subject, registered if it is new; UnreachableError when refused."""
        path = f"/subjects/{urllib.parse.quote(subject, safe='')}/versions"
        answer = self._call("POST", path, {"schema": json.dumps(definition)})
        if answer is None or "id" not in answer:
            raise UnreachableError(f"the registry at {self.url} did not take the schema of {subject}")
        return int(answer["id"])

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any] | None:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self._headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=self._timeout, context=self._context) as response:  # noqa: S310
                return cast(dict[str, Any], json.load(response))
        except urllib.error.HTTPError as error:
            detail = error.read(500).decode(errors="replace")
            if error.code == _UNKNOWN_SCHEMA:
                return None
            raise UnreachableError(f"the registry at {self.url} answered {error.code}: {detail}") from error
        except (OSError, ValueError) as error:
            raise UnreachableError(f"the registry at {self.url} cannot be reached: {error}") from error


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"SEAMWATCH_SCHEMA_REGISTRY_CA: {ca} cannot be used: {error}") from None

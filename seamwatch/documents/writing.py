"""Writing: plain values as YAML that every reader, of YAML 1.1 or 1.2, takes for the same values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import yaml

from seamwatch.documents.scalars import Spelled, plain_value

# Without quotes some of these would be line breaks to one reader and none to another, and others no YAML at all.
_ESCAPED: Final = re.compile("[^\n\x20-\x7e\xa1-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]")
_OF_OTHERS: Final = re.compile("[-+]?0[box]")  # numbers to one reader or another
_ENDLESS: Final = 1 << 30


def yaml_text(documents: Iterable[Any]) -> str:
    """The documents (mappings, lists, texts, numbers, true, false and null) as one YAML text, keys in their order.

    Raises ValueError for a text that no file can hold (half a surrogate pair).
    """
    text: str = yaml.dump_all(
        documents, Dumper=_Writer, sort_keys=False, allow_unicode=True, default_flow_style=False, width=_ENDLESS
    )
    return text


class _Writer(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML ships no types
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  its signature
        return True  # what is there twice is written twice


def _text(writer: _Writer, value: str) -> Any:
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{value!r} holds half a surrogate pair, which no text may hold")
    style = None
    if _ESCAPED.search(value) or _reads_as_other(value):
        style = '"'
    elif "\n" in value:
        style = "|"
    return writer.represent_scalar("tag:yaml.org,2002:str", value, style)


def _reads_as_other(value: str) -> bool:
    if _OF_OTHERS.match(value):
        return True
    try:
        return not isinstance(plain_value(value), str)
    except ValueError:
        return True


_Writer.add_representer(str, _text)
_Writer.add_representer(Spelled, _Writer.represent_int)

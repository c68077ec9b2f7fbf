"""The error tree of Seamwatch: what can go wrong, and what the caller can do about it.

    SeamwatchError                what every error of ours is; carries the exit code of a command
    ├── UsageError                the command or call was used wrongly (exit 2)
    ├── DocumentError             a document is wrong; names file and line
    │   └── ExpressionError       an expression in it is wrong; names the offending word
    ├── RecordError               one record cannot be used
    │   ├── UndecodableRecord     its bytes are not a record of its type
    │   ├── OutOfBounds           it decodes, but a field breaks a bound of the schema
    │   ├── BrokenText            a text in it holds half a character, which no encoding can carry
    │   ├── Unidentified          it decodes, but what must identify it, or somebody in it, identifies nothing
    │   └── ArgumentsError        the arguments of a tool call cannot be read
    ├── SignatureError            a signature is missing, wrong, or its key is not valid
    ├── SealError                 a sealed text cannot be opened, or something cannot be sealed
    ├── ProofError                a ledger proof does not hold
    ├── UnreachableError          a broker, store or channel cannot be reached (exit 3)
    ├── StoreError                the store answered with an error
    ├── StageError                a stage cannot go on and ends, to be started again by its supervisor
    └── LocalStackError           a server of the local stack could not be fetched, started or stopped (exit 3)

This module defines the errors only; it maps no third-party error (each boundary does that itself).
"""

from __future__ import annotations

from typing import ClassVar


class SeamwatchError(Exception):
    """Root of the tree. ``exit_code`` is what a command ends with when it stops for this error."""

    exit_code: ClassVar[int] = 1


class UsageError(SeamwatchError):
    """A call or command was used wrongly; the message says how to use it."""

    exit_code = 2


class DocumentError(SeamwatchError):
    """A document is wrong; the message starts with ``<file>:<line>:`` where both are known."""


class ExpressionError(DocumentError, ValueError):
    """An expression names an unknown field or function, mixes types, or does not parse."""


class RecordError(SeamwatchError):
    """One record cannot be used; it belongs in the dead-letter topic with this reason."""


class UndecodableRecord(RecordError):
    """The bytes are not a record of the expected type."""


class OutOfBounds(RecordError):
    """The record decodes, but a field breaks a bound that its schema declares."""


class BrokenText(RecordError):
    """A text holds a surrogate that is half of no pair: half a character, which is no text in any encoding."""


class Unidentified(RecordError):
    """The record decodes, but its id is no id, or a field that must name somebody or something is empty."""


class ArgumentsError(RecordError, ValueError):
    """The arguments of a tool call cannot be read; the message goes on from "its arguments"."""


class SignatureError(SeamwatchError):
    """A signature is missing or wrong, or its key was not valid at the time."""


class SealError(SeamwatchError):
    """A sealed text cannot be opened by this key, or the subjects' keys cannot be used; nothing goes out unsealed."""


class ProofError(SeamwatchError):
    """An inclusion or consistency proof does not hold."""


class UnreachableError(SeamwatchError):
    """A broker, store or channel cannot be reached; the message names the address and what to try."""

    exit_code = 3


class StoreError(SeamwatchError):
    """The store answered with an error; the message keeps the store's own code."""


class StageError(SeamwatchError):
    """A stage cannot go on (fenced, its position gone); it ends, and its supervisor starts it again."""


class LocalStackError(SeamwatchError):
    """A server of the local stack could not be fetched, started or stopped."""

    exit_code = 3

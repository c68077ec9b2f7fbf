"""Tools: a function that an agent calls, wrapped so that each call is checked before it runs.

What is judged is what the function is called with, by the names of its parameters and with their defaults.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any, ParamSpec, TypeVar

from seamwatch.errors import UsageError
from seamwatch.guard.verdict import NotPermitted

P = ParamSpec("P")
R = TypeVar("R")

Require = Callable[[str, dict[str, Any]], object]


def guarded(
    function: Callable[P, R], require: Require, tool: str | None, without: Collection[str], *, answers: bool
) -> Callable[P, R]:
    """The function, which runs only when ``require`` does not raise; also one that is ``async``.

    ``without`` are parameters that are not judged; ``self`` and ``cls`` never are. With ``answers`` what is not
    permitted gives the verdict's sentence as the result, for the model to read, and raises nothing.

    Raises UsageError for a parameter that the function does not have, and for what is no function.
    """
    name = tool or getattr(function, "__name__", "")
    if not callable(function) or not name:
        raise UsageError("a guard wraps a function: use it as @guard.tool or @guard.tool('name')")
    signature = inspect.signature(function)
    unknown = sorted(set(without) - set(signature.parameters))
    if unknown:
        raise UsageError(f"{name} has no parameter {', '.join(unknown)} to leave out")
    left_out = {*without, "self", "cls"}

    def ask(*args: P.args, **kwargs: P.kwargs) -> str | None:
        arguments = _arguments(signature, left_out, args, kwargs)
        try:
            require(name, arguments)
        except NotPermitted as error:
            if answers:
                return error.verdict.sentence
            raise
        return None

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            refused = ask(*args, **kwargs)
            return refused if refused is not None else await function(*args, **kwargs)

        return awaited  # type: ignore[return-value]

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> Any:
        refused = ask(*args, **kwargs)
        return refused if refused is not None else function(*args, **kwargs)

    return called


def _arguments(
    signature: inspect.Signature, left_out: Collection[str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """What a call gives each parameter, and what ``**`` takes beside them. Raises TypeError as the call does."""
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    arguments: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            arguments |= value
        elif name not in left_out:
            arguments[name] = value
    return arguments

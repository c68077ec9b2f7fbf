"""Which statements run on the local ClickHouse server, under the ids that their clients gave them, and ending them.

The engine gives its queries ids of its own, so each statement carries a token in its ``log_comment``; that is what is
killed when a client goes away or asks for it. Runs nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from threading import Lock

from stack.clickhouse.refusals import Refusal
from stack.clickhouse.statement import quoted, tokens


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that runs; ``token`` is known to this process only."""

    query_id: str
    user: str
    token: str


class Running:
    """The statements of one server."""

    def __init__(self, run: Callable[[str], object]) -> None:
        self._run = run
        self._lock = Lock()
        self._statements: dict[str, Statement] = {}

    def begin(self, query_id: str, user: str) -> Statement:
        """Note a statement. Raises Refusal (216) while another of that id runs."""
        statement = Statement(query_id, user, token_hex(8))
        with self._lock:
            if query_id in self._statements:
                raise Refusal(
                    216, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", f"Query with id = {query_id} is already running"
                )
            self._statements[query_id] = statement
        return statement

    def end(self, statement: Statement) -> None:
        """Forget a statement that is over."""
        with self._lock:
            self._statements.pop(statement.query_id, None)

    def kill(self, statement: Statement) -> None:
        """Have the engine end a statement; returns at once, and does nothing when it is over."""
        self._run(f"KILL QUERY WHERE startsWith(Settings['log_comment'], {quoted(statement.token)}) ASYNC")

    def named(self, query_id: str, user: str) -> Statement | None:
        """The statement of that id, if it runs and this user may end it: the writer any, others their own."""
        with self._lock:
            found = self._statements.get(query_id)
        return found if found is not None and user in {"writer", found.user} else None


def killed_id(sql: bytes) -> str | None:
    """The id that ``KILL QUERY WHERE query_id = '…'`` names; None for any other statement."""
    words = [token for token in tokens(sql) if token.text != b";"]
    if words and words[-1].keyword in {"SYNC", "ASYNC"}:
        words.pop()
    if [word.keyword or word.text.decode("ascii", "replace") for word in words[:5]] != [
        "KILL", "QUERY", "WHERE", "QUERY_ID", "=",
    ]:  # fmt: skip
        return None
    if len(words) != 6 or words[5].kind != "quoted" or not words[5].text.startswith(b"'") or b"\\" in words[5].text:
        return None
    return words[5].text[1:-1].decode("utf-8", "replace").replace("''", "'")

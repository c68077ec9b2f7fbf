"""The embedded ClickHouse engine (chDB): one process owns a path, a session a request.

A session is a connection of its own: its settings, parameters, default database and read-only mode are seen by nobody
else, and it costs about 0.1 ms. Statements of several sessions run at the same time, each in its caller's thread.
Errors leave as ``Refusal``. Knows no HTTP.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import chdb

from stack.clickhouse import readonly
from stack.clickhouse.refusals import Refusal, of_engine
from stack.clickhouse.statement import InsertHead, quoted

_NAME: Final = re.compile(r"\w+$")

# The database that is there by itself has every file that the process can read as a table of the file's name.
FILES: Final = "default"

# ClickHouse 26.9 notes granules as without a match whose rows only a join's filter had removed, and later queries then
# miss them: after `stale_decisions`, `why` could find no owner (its pull request 119823). And the rows that came last,
# in parts of less than a million, it would search for an id although a projection knows its place.
_ALWAYS: Final[Mapping[str, int]] = {"use_query_condition_cache": 0, "min_table_rows_to_use_projection_index": 0}

# What one answer may hold, in the engine's own columns, where its format cannot be sent block by block.
MAX_HELD_RESULT_BYTES: Final = 512 * 1024 * 1024

_SHORT_ANSWER: Final = 64 * 1024

_AUDITOR_LIMITS: Final[Mapping[str, int]] = {
    "max_execution_time": 300,
    "max_memory_usage": 4 * 1024**3,
    "max_result_rows": 50_000_000,
    "max_ast_elements": 50_000,
}
_AUDITOR_SETTINGS: Final = re.compile(
    r"(output_format_(?!schema|template)\w+|date_time_output_format|join_use_nulls|session_timezone|max_block_size"
    r"|limit|offset|max_threads|extremes|result_overflow_mode|use_query_cache|log_comment)$"
)

# ClickHouse's Java client sends them with every statement; who inserts nothing is not touched by them.
_INSERT_SETTINGS: Final = re.compile(r"(async_insert|wait_for_async_insert|insert_)\w*$")


@dataclass(frozen=True, slots=True)
class Written:
    """What an insert wrote."""

    rows: int
    bytes: int


@dataclass(slots=True)
class Answer:
    """A result as it is formatted: its blocks, and the rows so far: read for it, and in it.

    When it ``is_whole``, all blocks are there.
    """

    blocks: Iterator[bytes]
    rows: int = 0
    read_rows: int = 0
    read_bytes: int = 0
    written: Written = field(default_factory=lambda: Written(0, 0))
    is_whole: bool = False


class Engine:
    """The engine over a folder. Open one in a process, once."""

    def __init__(self, path: Path, home: str = "seamwatch") -> None:
        """``home`` is made, if it is not there: the database of who may only read and names none."""
        self.path = str(path)
        self.home = home
        self._own = chdb.connect(self.path)  # keeps the folder open between requests
        self._own.query(f"CREATE DATABASE IF NOT EXISTS `{home}`")
        self.version, self.timezone = self._ask("SELECT version(), timezone()").rstrip("\n").split("\t")
        self.functions, self.combinators = readonly.harmless_functions(self._ask)

    def _ask(self, sql: str) -> str:
        return bytes(self._own.query(sql, "TSVRaw").bytes()).decode()

    def run(self, sql: str) -> None:
        """Run a statement of ours, in a session of its own."""
        with self.session() as session:
            session.held(sql, "Null")

    def session(self) -> Session:
        """A session of the writer, until it is told to be read-only. Raises Refusal."""
        with _refusals():
            return Session(chdb.connect(self.path), self)

    def readable(self, sql: str, database: str | None, parameters: Mapping[str, str], token: str) -> str:
        """The statement as one who may only read may run it; Refusal when they may not.

        It is looked at in a session of its own: no setting of the client's may cut what is seen of it.
        """
        with self.session() as session:
            session.prepare(database, {}, parameters, auditor=True, reading=True, held=True, token=token)
            session.read_only(1)
            return readonly.readable(sql, session.ask, self.functions, self.combinators)

    def close(self) -> None:
        """Give the folder up. No session may be in use."""
        self._own.close()


class Session:
    """One connection. Use as a context manager, in one thread at a time."""

    def __init__(self, connection: Any, engine: Engine) -> None:
        self._connection = connection
        self._engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def prepare(
        self,
        database: str | None,
        settings: Mapping[str, str],
        parameters: Mapping[str, str],
        *,
        auditor: bool,
        reading: bool,
        held: bool,
        token: str,
    ) -> None:
        """Choose the database, then apply settings and the ``{name:Type}`` parameters.

        ``token`` goes before the client's own ``log_comment``, so that the statement can be found among those that run.
        An auditor's limits may only be lowered, and other settings than those of output are refused. Who is only
        ``reading``, and names no database or that of files, is in the engine's home. An answer that is ``held`` ends
        with an error (396) at ``MAX_HELD_RESULT_BYTES``.
        """
        if database and not (reading and database == FILES):
            self._run("USE `" + database.replace("\\", "\\\\").replace("`", "\\`") + "`")
        elif reading:
            self._run(f"USE `{self._engine.home}`")
        limits = dict(_AUDITOR_LIMITS) if auditor else {}
        marked = {**settings, "log_comment": f"{token} {settings.get('log_comment', '')}".rstrip()}
        chosen = [f"{name} = {value}" for name, value in _ALWAYS.items()]
        if held:
            chosen += [f"max_result_bytes = {MAX_HELD_RESULT_BYTES}", "result_overflow_mode = 'throw'"]
        for name, value in marked.items():
            if not _NAME.match(name):
                raise Refusal(115, "UNKNOWN_SETTING", f"Unknown setting {name!r}")
            if auditor and name in limits and value.isdigit() and int(value) > 0:
                limits[name] = min(limits[name], int(value))
            elif name == "readonly" or (auditor and _INSERT_SETTINGS.match(name)):
                continue  # `read_only` comes last, or the other settings could not be set
            elif auditor and not _AUDITOR_SETTINGS.match(name):
                raise Refusal(164, "READONLY", f"Cannot modify {name!r} setting in readonly mode")
            else:
                chosen.append(f"{name} = {quoted(value)}")
        chosen += [f"{name} = {limit}" for name, limit in limits.items()]
        for name, value in parameters.items():
            if not _NAME.match(name):
                raise Refusal(36, "BAD_ARGUMENTS", f"{name!r} is no name for a parameter")
            # The value arrives escaped, as ClickHouse wants it, so it is quoted once more.
            chosen.append(f"param_{name} = {quoted(value)}")
        # One statement: each costs as much as a small query.
        self._run("SET " + ", ".join(chosen))

    def read_only(self, level: int) -> None:
        """Refuse writes from here on: level 1 refuses settings too, level 2 lets them change. After ``prepare``."""
        self._run(f"SET readonly = {level}")

    def held(self, sql: str, output: str) -> Answer:
        """Run a statement of any kind and hold its whole answer."""
        result = self._run(sql, output)
        answer = Answer(iter((bytes(result.bytes()),)), result.rows_read())
        answer.read_rows, answer.read_bytes = result.storage_rows_read(), result.storage_bytes_read()
        answer.written = Written(result.rows_written(), result.bytes_written())
        return answer

    def streamed(self, sql: str, output: str) -> Answer:
        """Run a SELECT and give its answer block by block; the first block is there when this returns.

        A short one is whole: it needs no thread for its end. Only for formats whose blocks can be joined. Refusal (36)
        when the engine cannot stream the statement; later errors come out of the iterator.
        """
        answer = Answer(iter(()))
        with _refusals():
            stream = self._connection.send_query(sql, output)

        def fetch() -> Any:
            with _refusals():
                block = stream.fetch()
            if block is not None:
                answer.read_rows += block.storage_rows_read()
                answer.read_bytes += block.storage_bytes_read()
            return block

        begun = [fetch()]
        if begun[0] is not None:
            answer.rows = begun[0].rows_read()
            if begun[0].size() <= _SHORT_ANSWER:
                begun.append(fetch())
        answer.is_whole = begun[-1] is None
        answer.blocks = _blocks(begun, fetch, stream.cancel)
        return answer

    def insert(self, head: InsertHead, chunks: Iterator[bytes]) -> Written:
        """Run an insert of the data that ``chunks`` give, in constant memory, once all of them are there.

        Nothing is committed of a block that fails; blocks before it stay, as in ClickHouse. The data go through a file,
        because the engine's own streaming insert reports rows as written that found no space on the disk (chDB 26.9).
        """
        with _refusals(), tempfile.TemporaryFile(dir=self._engine.path) as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            file.seek(0)
            result = self._run(head.from_file(f"/dev/fd/{file.fileno()}"))
            return Written(result.rows_read(), result.bytes_read())

    def _run(self, sql: str, output: str = "Null") -> Any:
        with _refusals():
            return self._connection.query(sql, output)

    def ask(self, sql: str) -> str:
        """The text of an answer."""
        return bytes(self._run(sql, "TSVRaw").bytes()).decode()


def _blocks(begun: list[Any], fetch: Callable[[], Any], cancel: Callable[[], object]) -> Iterator[bytes]:
    try:
        while (block := begun.pop(0) if begun else fetch()) is not None:
            yield bytes(block.bytes())
    finally:
        cancel()  # a client that went away must not leave its query running


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Refusal:
        raise
    except (RuntimeError, OSError) as error:  # chDB's own error is the one, a file of ours may raise the other
        raise of_engine(error) from error

"""The auditor reads, and does nothing else, whatever is tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.clickhouse.conftest import Local

ESCAPES = [
    # Files, other hosts and programs, as scalar and as table.
    "SELECT file('/etc/passwd')",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM s3('http://127.0.0.1:1/b/k', 'CSV', 'a String')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM executable('x.sh', 'CSV', 'a String')",
    "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT * FROM python(data)",
    "SELECT * FROM cluster('default', system.one)",
    "SELECT * FROM input('a String')",
    "SELECT * FROM merge('system', '.*')",
    "SELECT * FROM dictionary('x')",
    "SELECT chdb('select 1')",
    # The same, hidden.
    "SELECT FILE('/etc/passwd')",
    "SELECT \"file\"('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    "SELECT /* count() */ file /* x */ ('/etc/passwd')",
    "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
    "SELECT '/etc/passwd' AS p, p.* APPLY(x -> file(x)) FROM numbers(1)",
    "SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS p)",
    "SELECT COLUMNS('p') APPLY(x -> file(x)) FROM (SELECT '/etc/passwd' AS p)",
    "SELECT * REPLACE(file(p) AS p) FROM (SELECT '/etc/passwd' AS p)",
    "WITH (SELECT file('/etc/passwd')) AS x SELECT x",
    "WITH f AS (SELECT * FROM file('/etc/passwd', 'LineAsString')) SELECT * FROM f",
    "SELECT 1 WHERE 1 IN (SELECT length(file('/etc/passwd')))",
    "SELECT 1 UNION ALL SELECT length(file('/etc/passwd'))",
    "SELECT number FROM numbers(3) ORDER BY file('/etc/passwd')",
    "SELECT count() FROM numbers(3) GROUP BY file('/etc/passwd')",
    "SELECT number FROM numbers(3) LIMIT length(file('/etc/passwd'))",
    "SELECT sum(length(file('/etc/passwd'))) OVER () FROM numbers(2)",
    "SELECT CASE WHEN length(file('/etc/passwd')) > 1 THEN 1 ELSE 0 END",
    "SELECT 1 FROM system.one ARRAY JOIN [file('/etc/passwd')] AS a",
    "EXPLAIN SELECT file('/etc/passwd')",
    "EXPLAIN PIPELINE SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "DESCRIBE TABLE url('http://127.0.0.1:1/', 'CSV')",
    "SELECT * FROM view(SELECT file('/etc/passwd'))",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT file('/etc/passwd')))",
    "SELECT 1 AS `a\\n  TableExpression (children 1)`, file('/etc/passwd')",
    # Writing, and being more than an auditor.
    "SELECT 1 INTO OUTFILE '/tmp/seamwatch-escape.txt'",
    "SELECT 1 INTO OUTFILE '/tmp/seamwatch-escape.txt' FORMAT TSV",
    "EXPLAIN SELECT 1 INTO OUTFILE '/tmp/seamwatch-escape.txt'",
    "SHOW TABLES INTO OUTFILE '/tmp/seamwatch-escape.txt'",
    "SELECT 1; SELECT file('/etc/passwd')",
    "SELECT 1;\n--\nDROP TABLE seamwatch.kept",
    "INSERT INTO seamwatch.kept VALUES (2)",
    "INSERT INTO seamwatch.kept FORMAT TSV\n2",
    "INSERT INTO FUNCTION file('/tmp/seamwatch-escape.txt') SELECT 1",
    "DROP TABLE seamwatch.kept",
    "TRUNCATE TABLE seamwatch.kept",
    "ALTER TABLE seamwatch.kept DELETE WHERE 1",
    "DELETE FROM seamwatch.kept WHERE 1",
    "OPTIMIZE TABLE seamwatch.kept FINAL",
    "CREATE TABLE seamwatch.mine (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE mine (a Int8)",
    "CREATE FUNCTION mine AS x -> file(x)",
    "CREATE VIEW seamwatch.mine AS SELECT file('/etc/passwd')",
    "RENAME TABLE seamwatch.kept TO seamwatch.gone",
    "ATTACH TABLE seamwatch.mine FROM '/tmp' (a Int8) ENGINE = Memory",
    "SET readonly = 0",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_memory_usage = 0",
    "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)",
    "KILL QUERY WHERE 1",
    "KILL MUTATION WHERE 1",
    "SYSTEM SHUTDOWN",
    "SYSTEM FLUSH LOGS",
    "EXECUTE AS default SELECT 1",
    "BACKUP TABLE seamwatch.kept TO Disk('default', 'x')",
    "GRANT ALL ON *.* TO auditor",
    "USE system",
    # Waiting in the engine for nothing, and asking others.
    "SELECT sleep(3)",
    "SELECT sleepEachRow(1) FROM numbers(100)",
    "SELECT aiGenerate('x', 'y')",
    "SELECT hasColumnInTable('127.0.0.1:1', 'd', 't', 'c')",
    "SELECT addressToLine(1)",
    "SELECT catboostEvaluate('/etc/passwd', 1)",
]


@pytest.fixture(scope="module")
def kept(local: Local) -> Iterator[Local]:
    local.ask("CREATE TABLE seamwatch.kept (a Int64) ENGINE = MergeTree ORDER BY a")
    local.ask("INSERT INTO seamwatch.kept VALUES (1)")
    yield local
    local.ask("DROP TABLE seamwatch.kept")


@pytest.mark.parametrize("sql", ESCAPES)
def test_the_auditor_cannot(kept: Local, sql: str) -> None:
    reply = kept.ask(sql, "auditor")
    assert reply.code in {62, 164, 497}, reply.text
    assert "root:" not in reply.text
    assert not Path("/tmp/seamwatch-escape.txt").exists()
    assert kept.ask("SELECT a FROM seamwatch.kept").text == "1\n"


# What may name a file, in a database that has files for tables and in one that has not.
NAMINGS = [
    "SELECT file('{}')",
    "SELECT * FROM file('{}', 'LineAsString')",
    "DESCRIBE TABLE file('{}')",
    "SELECT * FROM `{}`",
    "SELECT * FROM '{}'",
    "SELECT * FROM default.`{}`",
    'SELECT * FROM `default`."{}" AS t',
    "SELECT * FROM numbers(1) AS n JOIN default.`{}` AS f ON n.number = f.a",
    "SELECT 1 IN default.`{}`",
    "SELECT in(1, default.`{}`)",
    "SELECT 1 IN `{}`",
    "WITH x AS (SELECT * FROM default.`{}`) SELECT * FROM x",
    "EXPLAIN SELECT * FROM default.`{}`",
    "EXISTS TABLE default.`{}`",
    "EXISTS TABLE `{}`",
    "EXISTS VIEW default.`{}`",
    "DESCRIBE TABLE default.`{}`",
    "DESCRIBE TABLE (SELECT * FROM default.`{}`)",
    "SHOW CREATE TABLE default.`{}`",
    "SHOW COLUMNS FROM `{}` FROM default",
    "SHOW INDEX FROM `{}` FROM default",
    "SHOW TABLES FROM default LIKE '{}'",
    "SELECT * FROM {{d:Identifier}}.{{t:Identifier}}",
    "EXISTS TABLE {{t:Identifier}}",
    "SELECT count() FROM system.tables WHERE name = '{}'",
    "SELECT count() FROM system.columns WHERE table = '{}' AND database = 'default'",
    "INSERT INTO seamwatch.kept FROM INFILE '{}' FORMAT TSV",
    "SELECT 1 INTO OUTFILE '{}'",
    "SELECT 1 SETTINGS format_template_row = '{}'",
]


@pytest.mark.parametrize("database", ["seamwatch", "default", "", "information_schema"])
@pytest.mark.parametrize("naming", NAMINGS)
def test_no_answer_tells_whether_a_file_is_there(kept: Local, naming: str, database: str, tmp_path: Path) -> None:
    there, absent = tmp_path / "there.csv", tmp_path / "other.csv"
    there.write_text("a,b\n1,2\n")
    answers = []
    for file in (there, absent):
        reply = kept.ask(
            naming.format(file), "auditor", url={"database": database, "param_d": "default", "param_t": str(file)}
        )
        answers.append((reply.status, reply.text.replace(str(file), "FILE")))
    assert answers[0] == answers[1]


def test_a_file_that_the_writer_has_read_as_a_table_is_none_of_the_auditors(kept: Local, tmp_path: Path) -> None:
    file = tmp_path / "read.csv"
    file.write_text("a,b\n1,secret\n")
    assert "secret" in kept.ask(f"SELECT * FROM default.`{file}`").text
    for sql in (f"SELECT * FROM default.`{file}`", f"SELECT * FROM `{file}`"):
        reply = kept.ask(sql, "auditor", database="default")
        assert reply.status != 200
        assert "secret" not in reply.text


def test_who_names_no_database_is_in_that_of_the_record(kept: Local) -> None:
    assert kept.ask("SELECT a, currentDatabase() FROM kept", "auditor").text == "1\tseamwatch\n"


WRITING = [sql for sql in ESCAPES if "file(" in sql or "OUTFILE" in sql or sql.split()[0] not in {"SELECT", "WITH"}]


@pytest.mark.parametrize("sql", WRITING)
def test_the_writer_who_asks_to_read_only_cannot_do_more(kept: Local, sql: str) -> None:
    reply = kept.ask(sql, url={"readonly": "1"})
    assert reply.code in {62, 164, 497}, reply.text
    assert "root:" not in reply.text
    assert not Path("/tmp/seamwatch-escape.txt").exists()
    assert kept.ask("SELECT a FROM seamwatch.kept").text == "1\n"


def test_the_writer_who_asks_to_read_only_may_set_what_else_it_likes(kept: Local) -> None:
    url = {"readonly": "1", "max_threads": "1", "max_result_rows": "1", "log_comment": "x"}
    reply = kept.ask("SELECT a, getSetting('max_threads')::UInt8 FROM seamwatch.kept", url=url)
    assert reply.text == "1\t1\n", reply.text
    assert kept.ask("SELECT 1", url={"readonly": "yes"}).code == 72
    assert kept.ask("INSERT INTO seamwatch.kept VALUES (2)", url={"readonly": "2"}).code == 164


READINGS = [
    ("SELECT a FROM seamwatch.kept", "1\n"),
    ("SELECT a FROM kept -- comment", "1\n"),
    ("WITH x AS (SELECT 2 AS b) SELECT b FROM x UNION ALL SELECT 3", None),
    ("SELECT sumIf(number, number > 1), quantileTDigestIf(0.5)(number, number < 1) FROM numbers(4)", "5\t0\n"),
    ("SELECT CASE WHEN a = 1 THEN 'one' ELSE 'more' END FROM kept", "one\n"),
    ("SELECT a::String, [1, 2][1], (1, 'x').2, INTERVAL 1 DAY FROM kept", "1\t1\tx\t1\n"),
    ("SELECT row_number() OVER (PARTITION BY a ORDER BY a) FROM kept", "1\n"),
    ("SELECT * EXCEPT (b) FROM (SELECT 1 AS a, 2 AS b)", "1\n"),
    ("SELECT JSONExtractString('{\"a\": \"b\"}', 'a'), toYear(toDateTime(0, 'UTC'))", "b\t1970\n"),
    ("SELECT arraySum(x -> x * 2, [1, 2]), groupArray(number) FROM numbers(2)", "6\t[0,1]\n"),
    ("SELECT count() FROM kept AS l INNER JOIN kept AS r USING (a) LEFT JOIN kept AS x ON x.a = l.a", "1\n"),
    ("SELECT 1 IN (SELECT a FROM kept), a BETWEEN 0 AND 2, toString(a) LIKE '1' FROM kept", None),
    ("EXISTS TABLE kept", "1\n"),
    ("SHOW TABLES LIKE 'kept'", "kept\n"),
    ("SHOW DATABASES LIKE 'seam%'", "seamwatch\n"),
    ("DESCRIBE TABLE kept", "a\tInt64\t\t\t\t\t\n"),
    ("EXPLAIN SYNTAX SELECT 1", None),
    ("SELECT name FROM system.tables WHERE database = 'seamwatch' AND name = 'kept'", "kept\n"),
    ("SELECT a FROM kept FORMAT JSONEachRow", '{"a":1}\n'),
    ("SELECT a, count() FROM kept GROUP BY a WITH TOTALS", "1\t1\n\n0\t1\n"),
    ("SELECT number FROM numbers(3) ORDER BY number DESC LIMIT 1 BY number LIMIT 1 OFFSET 1", "1\n"),
    ("SELECT 'a;b', 'it''s', '/* no comment */', `a` FROM kept;", "a;b\tit\\'s\t/* no comment */\t1\n"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "answer"), READINGS)
def test_the_auditor_can(kept: Local, sql: str, answer: str | None) -> None:
    reply = kept.ask(sql, "auditor", database="seamwatch")
    assert reply.status == 200, reply.text
    assert answer is None or reply.text == answer


def test_parameters_are_values_and_never_text(kept: Local) -> None:
    injected = "x' OR file('/etc/passwd') = '"
    reply = kept.ask("SELECT {v:String} AS v FORMAT TSVRaw", "auditor", param_v=injected.replace("'", "\\'"))
    assert reply.text == injected + "\n"


@pytest.mark.parametrize(
    "setting",
    [{"max_memory_usage": "999999999999"}, {"max_execution_time": "900"}, {"readonly": "0"}, {"max_threads": "1"}],
)
def test_settings_of_the_url_lift_no_limit(kept: Local, setting: dict[str, str]) -> None:
    name = next(iter(setting))
    reply = kept.ask(f"SELECT toUInt64(getSetting('{name}'))", "auditor", url=setting)
    limit = {"max_memory_usage": 4 * 1024**3, "max_execution_time": 300, "readonly": 1, "max_threads": 1}[name]
    assert reply.text == f"{limit}\n"


@pytest.mark.parametrize(
    "setting",
    [
        {"limit": "1"},
        {"offset": "1"},
        {"extremes": "1"},
        {"max_result_rows": "1"},
        {"max_result_rows": "1", "result_overflow_mode": "break", "max_block_size": "1"},
    ],
)
def test_settings_that_cut_an_answer_cut_nothing_of_what_is_looked_at(kept: Local, setting: dict[str, str]) -> None:
    assert kept.ask("SELECT a, file('/etc/passwd') FROM seamwatch.kept", "auditor", url=setting).code == 497
    assert kept.ask("SELECT count() FROM seamwatch.kept WHERE a = 1", "auditor", url=setting).status == 200


@pytest.mark.parametrize("name", ["format_schema", "output_format_schema", "allow_ddl", "format_template_row"])
def test_settings_that_reach_further_are_refused(kept: Local, name: str) -> None:
    assert kept.ask("SELECT 1", "auditor", url={name: "1"}).code == 164

"""Roles as DDL: the engine's parser takes all of it, and what each may do is what its name says. It has no users."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlsplit, urlunsplit

import pytest

from console.app import main
from seamwatch.errors import UsageError
from sinks.store.client import Store
from sinks.store.cluster import Cluster
from sinks.store.roles import AUDITOR, BOARD, OF_SYSTEMS, WRITER, roles
from tests.databases import migrated


def grants(statements: list[str], role: str) -> list[str]:
    return [each for each in statements if each.startswith("GRANT") and each.endswith(f" TO {role}")]


@pytest.mark.parametrize("cluster", [None, Cluster("audit", "seamwatch")])
def test_every_statement_parses(clickhouse: str, cluster: Cluster | None) -> None:
    statements = roles("seamwatch", ["credit", "pay-ments"], cluster)
    assert len(set(statements)) == len(statements)
    assert all("ON CLUSTER 'audit'" in each for each in statements) is (cluster is not None)
    with Store(clickhouse, database="default") as store:
        for statement in statements:
            store.text(f"EXPLAIN AST {statement}", "Null")


def test_each_role_may_do_what_its_name_says(clickhouse: str) -> None:
    statements = roles("seamwatch", ["credit"])
    assert grants(statements, WRITER) == [f"GRANT SELECT, INSERT ON seamwatch.* TO {WRITER}"]
    assert grants(statements, AUDITOR) == [f"GRANT SELECT ON seamwatch.* TO {AUDITOR}"]
    for role in (BOARD, "`seamwatch_team_credit`"):
        assert all(each.startswith("GRANT SELECT") for each in grants(statements, role))
    personal = re.compile(r"`(raw|key|headers|attributes|arguments)`")
    assert not [each for each in grants(statements, BOARD) if personal.search(each)]
    (answers,) = [each for each in grants(statements, BOARD) if " ON seamwatch.acknowledgement " in each]
    assert "`relayed_by`" in answers
    assert "`evidence`" not in answers
    for table in ("page", "hold", "ledger_commit", "checkpoint"):
        readers = [each for each in statements if f" ON seamwatch.{table} " in each]
        assert [each.rpartition(" TO ")[2] for each in readers] == [BOARD]
    reading = next(each for each in statements if "PROFILE OR REPLACE seamwatch_reading" in each)
    assert "readonly = 1 CONST" in reading
    assert all("use_query_condition_cache = 0" in each for each in statements if "PROFILE OR REPLACE" in each)
    assert reading.endswith(f"TO {AUDITOR}, {BOARD}, `seamwatch_team_credit`")
    # Each column that is granted exists, and so does each table and view.
    name = f"g_{uuid.uuid4().hex[:10]}"
    url = urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}"))
    migrated(url)
    with Store(url) as store:
        granted = r"^GRANT SELECT(?:\((.*)\))? ON seamwatch\.(\w+) "
        for what, table in set(re.findall(granted, "\n".join(statements), re.MULTILINE)):
            store.text(f"SELECT {what or '*'} FROM {table} LIMIT 0", "Null")
        # A policy is a condition that a query can have.
        for table, condition in re.findall(r"ON seamwatch\.(\w+) AS .* USING (.*) TO ", "\n".join(statements)):
            store.text(f"SELECT 1 FROM {table} WHERE {condition.replace('seamwatch.', '')} LIMIT 0", "Null")
        store.command(f"DROP DATABASE {name}")


def test_a_team_has_a_policy_on_every_table_of_systems_and_so_have_all_others() -> None:
    policies = [each for each in roles("seamwatch", ["credit"]) if "ROW POLICY" in each]
    for table in (*OF_SYSTEMS, "repeated"):
        on = [each for each in policies if f" ON seamwatch.{table} " in each]
        assert [each.rpartition(" TO ")[2].split(", ")[-1] for each in on] == [BOARD, "`seamwatch_team_credit`"]
    assert not [each for each in roles("seamwatch") if "ROW POLICY" in each]
    with pytest.raises(UsageError, match="--team"):
        roles("seamwatch", ["credit`; DROP"])


def test_a_store_that_knows_no_users_says_so_and_another_gets_the_roles(
    clickhouse: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = urlunsplit(urlsplit(clickhouse)._replace(path="/default"))
    monkeypatch.setenv("CLICKHOUSE_URL", url)
    with pytest.raises(SystemExit) as ended:
        main(["store", "roles", "--apply"])
    with Store(url) as store:
        if store.rows("SELECT count() AS places FROM system.user_directories WHERE type != 'users_xml'")[0]["places"]:
            assert ended.value.code == 0
            assert AUDITOR in {row["name"] for row in store.rows("SHOW ROLES")}
        else:
            assert ended.value.code == 2
            assert "engine knows no users" in capsys.readouterr().err

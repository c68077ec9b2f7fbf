"""The tables of a cluster come from the same migrations. There is no Keeper here: what can be run is run without it."""

from __future__ import annotations

import re
import uuid
from urllib.parse import urlsplit, urlunsplit

import pytest

from seamwatch.errors import StoreError
from sinks.store.client import Store
from sinks.store.cluster import Cluster, tables_of_every_node
from sinks.store.migrate import cluster_of, everything, migrate, migrations

CLUSTER = Cluster("audit", "seamwatch")
GOLDEN = (
    (
        """CREATE TABLE IF NOT EXISTS ledger_commit
(
    `topic` LowCardinality(String),
    `partition` Int32
)
ENGINE = MergeTree
ORDER BY (topic, partition)
SETTINGS non_replicated_deduplication_window = 10000""",
        """CREATE TABLE IF NOT EXISTS seamwatch_local.ledger_commit ON CLUSTER 'audit'
(
    `topic` LowCardinality(String),
    `partition` Int32
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
ORDER BY (topic, partition)
SETTINGS replicated_deduplication_window = 10000
----
CREATE TABLE IF NOT EXISTS seamwatch.ledger_commit ON CLUSTER 'audit' AS seamwatch_local.ledger_commit
ENGINE = Distributed('audit', 'seamwatch_local', 'ledger_commit', cityHash64(topic, partition))""",
    ),
    (
        "CREATE TABLE IF NOT EXISTS t\n(\n    `topic` String\n)\nENGINE = ReplacingMergeTree(v)\nORDER BY topic",
        """CREATE TABLE IF NOT EXISTS seamwatch_local.t ON CLUSTER 'audit'
(
    `topic` String
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', v)
ORDER BY topic
----
CREATE TABLE IF NOT EXISTS seamwatch.t ON CLUSTER 'audit' AS seamwatch_local.t
ENGINE = Distributed('audit', 'seamwatch_local', 't', cityHash64(topic, partition))""",
    ),
    (
        "CREATE TABLE IF NOT EXISTS hold\n(\n    `hold_id` String\n)\nENGINE = MergeTree\nORDER BY hold_id",
        """CREATE TABLE IF NOT EXISTS seamwatch.hold ON CLUSTER 'audit'
(
    `hold_id` String
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/all', '{shard}-{replica}')
ORDER BY hold_id""",
    ),
    (
        "ALTER TABLE outcome ADD COLUMN IF NOT EXISTS `a` String",
        """ALTER TABLE seamwatch_local.outcome ON CLUSTER 'audit' ADD COLUMN IF NOT EXISTS `a` String
----
ALTER TABLE seamwatch.outcome ON CLUSTER 'audit' ADD COLUMN IF NOT EXISTS `a` String""",
    ),
    (
        "ALTER TABLE outcome ADD INDEX IF NOT EXISTS i offset TYPE minmax",
        "ALTER TABLE seamwatch_local.outcome ON CLUSTER 'audit' ADD INDEX IF NOT EXISTS i offset TYPE minmax",
    ),
    (
        "ALTER TABLE hold ADD COLUMN IF NOT EXISTS `a` String",
        "ALTER TABLE seamwatch.hold ON CLUSTER 'audit' ADD COLUMN IF NOT EXISTS `a` String",
    ),
    (
        "CREATE OR REPLACE VIEW owners AS\nSELECT 1",
        "CREATE OR REPLACE VIEW seamwatch.owners ON CLUSTER 'audit' AS\nSELECT 1",
    ),
    ("DROP VIEW IF EXISTS gone", "DROP VIEW IF EXISTS seamwatch.gone ON CLUSTER 'audit'"),
)


@pytest.mark.parametrize(("statement", "expected"), GOLDEN)
def test_a_statement_becomes_what_a_cluster_needs(statement: str, expected: str) -> None:
    assert "\n----\n".join(CLUSTER.statements([statement], frozenset({"hold"}))) == expected


def test_a_statement_of_an_unknown_kind_is_refused() -> None:
    for statement in (
        "ALTER TABLE outcome DELETE WHERE 1",
        "CREATE TABLE outcome (a Int8) ENGINE = Log",
        "DROP TABLE a",
    ):
        with pytest.raises(StoreError, match="not known on a cluster"):
            CLUSTER.statements([statement], frozenset())


def test_every_migration_can_be_made_on_a_cluster_and_gives_the_same_tables(clickhouse: str) -> None:
    """Each kind of statement parses; then all are run, without what only a Keeper and a configured cluster provide."""
    names = [f"c_{uuid.uuid4().hex[:10]}" for _ in range(2)]
    plain, apart = (urlunsplit(urlsplit(clickhouse)._replace(path=f"/{name}")) for name in names)
    cluster = cluster_of(apart, "audit")
    assert cluster is not None
    made = everything(names[1], cluster)
    assert len([each for each in made if "ON CLUSTER 'audit'" in each]) == len(made)
    with Store(apart, database="default") as store:
        kinds = {re.sub(r"(seamwatch|c)_\w+\.\w+|`.*|\(.*", "", each.partition("\n")[0]): each for each in made}
        for statement in kinds.values():
            store.text(f"EXPLAIN AST {statement}", "Null")
    migrate(plain)

    # Merge stands for Distributed: a table over the one of the same name that holds the rows.
    def alone(statement: str) -> str:
        plainly = statement.replace(" ON CLUSTER 'audit'", "").replace(" replicated_dedup", " non_replicated_dedup")
        plainly = re.sub(r"Replicated(\w*MergeTree)\('[^']*', '[^']*'\)", r"\1", plainly)
        return re.sub(r"Distributed\('audit', '(\w+)', '(\w+)', [^)]*\)\)", r"Merge('\1', '^\2$')", plainly)

    databases = len(cluster.databases())
    with Store(plain, database="default") as store:
        for statement in made[:databases]:
            store.command(alone(statement))
    with Store(apart) as store:
        for statement in made[databases:]:
            store.command(alone(statement))
    columns = "SELECT table, name, type FROM system.columns WHERE database = currentDatabase() ORDER BY table, position"
    with Store(plain) as one, Store(apart) as store:
        assert store.rows(columns) == one.rows(columns)
        whole = tables_of_every_node(each for step in migrations() for each in step.statements)
        local = store.rows(f"SELECT name, engine_full FROM system.tables WHERE database = '{names[1]}_local'")
        assert {row["name"] for row in local}.isdisjoint(whole)
        # What is inserted more than once is left out by its token, on a cluster as on one server.
        again = {row["name"] for row in local if "deduplication_window" not in row["engine_full"]}
        assert again == {"ledger_tile", "repeated", "repeated_until"}  # the same content, and the newest row counts
    with Store(plain, database="default") as store:
        for name in (*names, f"{names[1]}_local"):
            store.command(f"DROP DATABASE {name}")

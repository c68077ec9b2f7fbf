"""Which names there are of each kind: declared in a document that is published, or seen on record.

An answer that holds rows of a name knows it; so whoever asks by name looks here where an answer is empty, or before
something is done about the name. What is said of a name that nobody knows is `demand_known`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from seamwatch.errors import SeamwatchError

if TYPE_CHECKING:
    from sinks.store.client import Store

_SYSTEMS: Final = """
SELECT system AS name FROM inventory
UNION DISTINCT SELECT CAST(system, 'String') FROM violation
UNION DISTINCT SELECT CAST(system, 'String') FROM config_change
UNION DISTINCT SELECT CAST(system, 'String') FROM acknowledgement
UNION DISTINCT SELECT CAST(system, 'String') FROM outcome
UNION DISTINCT SELECT CAST(system, 'String') FROM attestation
UNION DISTINCT SELECT CAST(system, 'String') FROM suspension
"""
_TRAFFIC: Final = "SELECT DISTINCT CAST(system, 'String') AS system FROM traffic"
_DATASETS: Final = """
SELECT id AS name FROM document WHERE kind = 'System' AND JSONExtractString(document, 'type') = 'dataset'
UNION DISTINCT SELECT CAST(system, 'String') FROM dataset_refresh
"""
_PERSONS: Final = """
SELECT id AS name FROM document WHERE kind = 'Person'
UNION DISTINCT SELECT JSONExtractString(document, 'owner') FROM document WHERE kind = 'System'
UNION DISTINCT SELECT arrayJoin(arrayFilter(step -> NOT startsWith(step, 'rota '), escalation)) FROM contract_clauses
UNION DISTINCT SELECT arrayJoin(arrayConcat(
    JSONExtract(document, 'persons', 'Array(String)'), [JSONExtractString(document, 'owner')],
    JSONExtract(document, 'instead', 'Array(Tuple(person String))').person
)) FROM document WHERE kind = 'Rota'
UNION DISTINCT SELECT arrayJoin(JSONExtract(agreed, 'acknowledgers', 'Array(String)')) FROM contract_clauses
UNION DISTINCT SELECT person FROM page
UNION DISTINCT SELECT person FROM acknowledgement
UNION DISTINCT SELECT CAST(assumeNotNull(person), 'String') FROM violation WHERE person IS NOT NULL
UNION DISTINCT SELECT person FROM attestation
UNION DISTINCT SELECT person FROM suspension
UNION DISTINCT SELECT person FROM notice
"""
_ROTAS: Final = """
SELECT id AS name FROM document WHERE kind = 'Rota'
UNION DISTINCT SELECT substring(arrayJoin(arrayFilter(step -> startsWith(step, 'rota '), escalation)), 6)
FROM contract_clauses
"""
_CONTRACTS: Final = """
SELECT id AS name FROM document WHERE kind = 'Contract'
UNION DISTINCT SELECT CAST(contract, 'String') FROM violation
"""
_CLAUSES: Final = """
SELECT JSONExtractString(arrayJoin(JSONExtractArrayRaw(document, 'clauses')), 'id') AS name
FROM document WHERE kind = 'Contract'
UNION DISTINCT SELECT CAST(clause, 'String') FROM violation
"""
_VERSIONS: Final = """
SELECT version AS name FROM traffic
UNION DISTINCT SELECT JSONExtractString(arrayJoin(JSONExtractArrayRaw(document, 'versions')), 'version')
FROM document WHERE kind = 'System'
"""
_CONTRACT_VERSIONS: Final = """
SELECT version AS name FROM document WHERE kind = 'Contract'
UNION DISTINCT SELECT CAST(contract_version, 'String') FROM violation
"""
_COHORTS: Final = """
SELECT DISTINCT CAST(cohort, 'Nullable(String)') AS name FROM inference
UNION DISTINCT SELECT CAST(cohort, 'Nullable(String)') FROM outcome
UNION DISTINCT SELECT arrayJoin(cohorts.cohort) FROM dataset_refresh
"""

KNOWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "system": _SYSTEMS,
        "dataset": _DATASETS,
        "person": _PERSONS,
        "rota": _ROTAS,
        "contract": _CONTRACTS,
        "clause": _CLAUSES,
        "version": _VERSIONS,
        "contract_version": _CONTRACT_VERSIONS,
        "cohort": _COHORTS,
    }
)
"""By what an option names, the query that gives every name of the kind, in the column ``name``."""


class UnknownNameError(SeamwatchError):
    """A command was asked about a name that nobody declared, and nothing was seen of."""


def demand_known(store: Store, **given: str | None) -> None:
    """See that each name that is given is known, by its kind (a key of `KNOWN`). Raises UnknownNameError."""
    for kind, name in given.items():
        if name is not None and not is_known(store, kind, name):
            raise unknown(kind, name, names(store, kind))


def is_known(store: Store, kind: str, name: str) -> bool:
    """Whether a name of a kind is known: looks at that name alone, however many others there are."""
    found = store.rows(f"SELECT 1 FROM ({KNOWN[kind]}) WHERE name = {{name:String}} LIMIT 1", {"name": name})
    return bool(name and found)


def names(store: Store, kind: str) -> tuple[str, ...]:
    """Every known name of a kind, in order."""
    rows = store.rows(f"SELECT DISTINCT name FROM ({KNOWN[kind]}) WHERE name != '' ORDER BY name")
    return tuple(row["name"] for row in rows)


def seen_systems(store: Store) -> tuple[str, ...]:
    """Every system that was seen in traffic, declared or not."""
    return tuple(row["system"] for row in store.rows(_TRAFFIC))


def unknown(kind: str, name: str, known: tuple[str, ...]) -> UnknownNameError:
    """The error for a name that is not among those known, with the nearest of them."""
    from seamwatch.wire.schemas import nearest

    asked = f"{kind.replace('_', ' ')} {name!r}"
    return UnknownNameError(f"{asked} is neither declared nor was it seen{nearest(name, known)}")

"""`seamwatch store retain` and `seamwatch store hold`: how long the record is kept, and what is kept longer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sinks.ledger.format.notes import SignerKey
    from sinks.retention.retention import Month
    from sinks.store.client import Store
    from sinks.store.questions.holds import Hold

Data = Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")]
By = Annotated[str, typer.Option(help="who does it: a person", metavar="PERSON")]
Reason = Annotated[str, typer.Option(help="why, for whoever asks later")]


def register(store: typer.Typer) -> None:
    """Add the commands to `seamwatch store`."""
    store.command()(retain)
    group = typer.Typer(help="Keep records whose time is over: legal holds.", no_args_is_help=True)
    group.command("add")(add_hold)
    group.command("list")(list_holds)
    group.command("lift")(lift)
    store.add_typer(group, name="hold")


def retain(
    by: Annotated[str | None, typer.Option(help="who does it; your login, unless given", metavar="PERSON")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only say what would be dropped, and what is held")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one object a month")] = False,
    data: Data = None,
) -> None:
    """Drop the months of records that are older than SEAMWATCH_RETENTION allows and under no hold. For good.

    Each month's rows are held to the ledger before they go, and nothing is dropped that is not as it was signed (exit
    1); what goes is written to the table `retention`, signed by SEAMWATCH_LEDGER_KEY, and its leaves stay. Nothing else
    runs this: put it into a timer, once a day, as a user who may drop partitions; the recorder need not be one.

    Example: SEAMWATCH_RETENTION='{"inference": "400d", "*": "730d"}' seamwatch store retain --dry-run
    """
    from console.asking import auditor
    from console.lines import Progress
    from console.reach import reach
    from console.who import login
    from seamwatch.errors import StoreError, UsageError
    from seamwatch.settings import load_settings
    from seamwatch.wire.topics import Topics
    from sinks.retention.retention import Retention
    from sinks.store.migrate import cluster_of

    settings = load_settings(data=data)
    if not settings.retention:
        raise UsageError(
            'no retention is set, so everything is kept: set SEAMWATCH_RETENTION, such as \'{"inference": "400d"}\''
        )
    key = None if dry_run else _key(settings.ledger_key, settings.data)
    with auditor(data) if dry_run else _ready(data) as store:
        topics, progress = Topics(reach(data).prefix), Progress("rows held to the ledger")
        cluster = cluster_of(reach(data).auditor if dry_run else reach(data).clickhouse, settings.cluster)
        retention = Retention(store, topics, settings.retention, settings.clock().now(), progress.tell, cluster)
        lines, refused = [], False
        for month in retention.months():
            outcome = "would be dropped" if month.hold is None else _held(month.hold)
            if key is not None and month.hold is None:
                try:
                    outcome = "dropped" if retention.drop(month, key, by or login()) else "held meanwhile"
                except StoreError as error:
                    # One month that is not as it was signed keeps no other from its end.
                    outcome, refused = f"not dropped: {error}", True
            lines.append(_said(month, outcome))
    _print(lines, as_json, ("TABLE", "MONTH", "ROWS", "KEPT", "WHAT"), "nothing is older than its retention")
    raise typer.Exit(refused)


def add_hold(
    by: By,
    reason: Reason,
    table: Annotated[str, typer.Option(help="only this table, such as inference")] = "",
    system: Annotated[str, typer.Option(help="only months that have records of this system")] = "",
    start: Annotated[str | None, typer.Option("--from", help="only what arrived from this time on")] = None,
    end: Annotated[str | None, typer.Option("--to", help="only what arrived before this time")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the hold as one object")] = False,
    data: Data = None,
) -> None:
    """Place a legal hold: months that it covers are not dropped until it is lifted, whatever the retention says.

    Whole months are kept: all of a month that has a record of the system. A system that nobody declared, and that was
    not seen, is refused: a hold on it would hold nothing. It holds what `seamwatch store retain` does; whoever may drop
    tables in the store itself is not stopped by it.

    Example: seamwatch store hold add --by ada --reason "case 17" --system credit-scorer --from 2026-01-01
    """
    from console.asking import auditor
    from seamwatch.errors import UsageError
    from sinks.retention.holds import place_hold
    from sinks.retention.retention import TABLES
    from sinks.store.questions.names import demand_known

    if table and table not in TABLES:
        raise UsageError(f"--table {table}: only these are ever dropped: {', '.join(TABLES)}")
    if system:
        # A hold on a name that nobody knows holds nothing, and who placed it relies on it.
        with auditor(data) as asked:
            demand_known(asked, system=system)
    with _ready(data) as store:
        hold = place_hold(store, by, reason, table, system, _moment("--from", start), _moment("--to", end))
    _print([_hold_line(hold)], as_json, _HOLD_COLUMNS, "")


def list_holds(
    as_json: Annotated[bool, typer.Option("--json", help="one object a hold")] = False, data: Data = None
) -> None:
    """List the holds that are in force.

    Example: seamwatch store hold list
    """
    from console.asking import auditor
    from sinks.store.questions.holds import holds

    with auditor(data) as store:
        found = holds(store)
    _print([_hold_line(hold) for hold in found], as_json, _HOLD_COLUMNS, "nothing is held")


def lift(
    hold: Annotated[str, typer.Argument(help="its id, from `seamwatch store hold list`", metavar="HOLD_ID")],
    by: By,
    reason: Reason,
    data: Data = None,
) -> None:
    """Lift a hold: what it kept may be dropped from now on. That it was there stays on record.

    Example: seamwatch store hold lift 019539d9-1e5c-7c3a-9d1b-0c1f8f6b2a11 --by ada --reason "case 17 is closed"
    """
    from sinks.retention.holds import lift_hold

    with _ready(data) as store:
        lifted = lift_hold(store, hold, by, reason)
    print(f"lifted  {lifted.hold_id}: {lifted.reason}")


_HOLD_COLUMNS = ("HOLD", "TABLE", "SYSTEM", "FROM", "TO", "BY", "REASON", "PLACED")


def _ready(data: Path | None) -> Store:
    """The store as its writer; UnreachableError until it has its tables."""
    from console.reach import reach
    from seamwatch.errors import UnreachableError
    from sinks.store.client import Store
    from sinks.store.migrate import is_ready

    store = Store(reach(data).clickhouse)
    if not is_ready(store):
        raise UnreachableError(f"the store at {store.address} is not up to date: run `seamwatch store migrate`")
    return store


def _key(named: Path | None, folder: Path) -> SignerKey:
    from console.reach import LEDGER_KEY_FILE
    from seamwatch.errors import UsageError
    from sinks.ledger.format.keys import read_signer

    file = named or folder / LEDGER_KEY_FILE
    if not file.exists():
        raise UsageError("what is dropped is signed for: set SEAMWATCH_LEDGER_KEY to the ledger's key (docs/ledger.md)")
    return read_signer(file)


def _moment(option: str, text: str | None) -> int | None:
    from seamwatch.errors import UsageError
    from seamwatch.instants import parse_instant

    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _said(month: Month, outcome: str) -> dict[str, Any]:
    from seamwatch.durations import compact_duration

    return {
        "table": month.table,
        "month": month.month,
        "rows": month.rows,
        "retention": compact_duration(month.kept_for),
        "outcome": outcome,
    }


def _held(hold: Hold) -> str:
    return f"held by {hold.hold_id}: {hold.reason}"


def _hold_line(hold: Hold) -> dict[str, Any]:
    from seamwatch.instants import format_instant

    return {
        "hold_id": hold.hold_id,
        "table": hold.table or "every",
        "system": hold.system or "every",
        "from": None if hold.start is None else format_instant(hold.start),
        "to": None if hold.end is None else format_instant(hold.end),
        "person": hold.person,
        "reason": hold.reason,
        "placed_at": format_instant(hold.placed_at),
    }


def _print(lines: Sequence[dict[str, Any]], as_json: bool, columns: Sequence[str], empty: str) -> None:
    from console.asking import print_lines
    from console.tables import print_table

    if as_json:
        print_lines(lines)
        return
    print_table(columns, (["" if each is None else str(each) for each in line.values()] for line in lines), empty=empty)

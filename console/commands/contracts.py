"""`seamwatch contracts`: check documents, start new ones, sign and compare them, publish them.

Says what `seamwatch.documents` finds; judges nothing itself. Parts with a module of their own register themselves.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.commands import contracts_diff, contracts_odcs, contracts_reference, contracts_signing

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from seamwatch.documents.problems import Problem
    from seamwatch.documents.references import Read
    from seamwatch.documents.withdrawing import Withdrawer

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="folder of *.yaml documents, or one file")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object instead of lines")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        no_args_is_help=True, help="Check, start, sign, compare and publish contracts and the documents they name."
    )
    group.command()(check)
    group.command()(new)
    contracts_signing.add(group)
    contracts_diff.add(group)
    contracts_reference.add(group)
    contracts_odcs.add(group)
    group.command()(publish)
    app.add_typer(group, name="contracts")


def check(
    folder: Folder,
    published: Annotated[
        bool, typer.Option("--published", help="also hold contracts to what is published under their versions")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="with --published: data folder of a running `seamwatch up`")] = None,
    as_json: AsJson = False,
) -> None:
    """Every problem of the documents below a folder, as <file>:<line>: message.

    Clauses that make no sense are named too. Gaps in a system's hand-over, points of it that say nothing, and where it
    falls short of its tier of the risk policy, are warnings. So that nobody is paged in vain, channels are held to the
    services that the pager knows, and SEAMWATCH_DEFAULT_OWNER, if it is set, to the persons. A contract that was
    changed after somebody signed it is a warning; with --published another text under a published version is an error.
    Exit 1 when there is any error; that there is no document is one.

    Example: seamwatch contracts check contracts/
    """
    from console.naming import some_of
    from console.reachable import channel_problems, owner_problem, persons_of
    from seamwatch.documents.files import nothing_read
    from seamwatch.documents.handover import handover_problems
    from seamwatch.documents.holding import policy_problems
    from seamwatch.documents.loading import load
    from seamwatch.documents.problems import Problem, is_error
    from seamwatch.documents.signing_verdicts import changed_since_signed, unsigned_by, verdicts_beside
    from seamwatch.errors import UsageError
    from seamwatch.settings import load_settings

    if data is not None and not published:
        raise UsageError("--data says where contracts are published: it belongs to --published")
    settings, loaded = load_settings(), load(folder, forks=True)
    now = settings.clock().now()
    verdicts = verdicts_beside(loaded.reads, now)
    problems = sorted(
        [
            *loaded.problems,
            *(() if loaded.reads or loaded.errors else (nothing_read(folder),)),
            *channel_problems(loaded.reads),
            *handover_problems(loaded.reads, now),
            *policy_problems(loaded.reads, now),
            *changed_since_signed(loaded.reads, verdicts),
            *(_rewritten(loaded.reads, data) if published else ()),
        ]
    )
    if (unknown := owner_problem(settings.default_owner, persons_of(loaded.reads))) is not None:
        problems.append(Problem(str(folder), 1, unknown))
    errors, documents = sum(is_error(problem) for problem in problems), len(loaded.reads)
    unsigned = unsigned_by(loaded.reads, verdicts)
    if as_json:
        found = [{"file": p.file, "line": p.line, "severity": p.severity, "message": p.message} for p in problems]
        print(json.dumps({"documents": documents, "errors": errors, "unsigned": unsigned, "problems": found}))
    else:
        for problem in problems:
            print(problem)
        warnings = len(problems) - errors
        print(f"{_count(documents, 'document')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    if unsigned:
        print(f"note: not signed: {some_of(unsigned)} (see `contracts verify`)", file=sys.stderr)
    raise typer.Exit(1 if errors else 0)


def _rewritten(reads: Sequence[Read], data: Path | None) -> list[Problem]:
    from bus.documents import ContractsFollower
    from console.reach import reach
    from seamwatch.documents.publishing import rewritten
    from seamwatch.log import configure
    from seamwatch.settings import load_settings

    configure(load_settings().model_copy(update={"log_level": "error"}))  # standard output says what was found
    system = reach(data)
    follower = ContractsFollower(system.kafka, system.prefix)
    follower.close()
    return list(rewritten(reads, follower.said.first))


def new(
    kind: Annotated[
        str,
        typer.Argument(metavar="KIND", help="person, system, contract, riskpolicy, rota, defaults, or a clause kind"),
    ],
) -> None:
    """A commented template to start from, on standard output.

    A person, a system and a contract as they come out fit together; a clause goes under the contract's `clauses`.

    Example: seamwatch contracts new freshness
    """
    from seamwatch.documents.template import template

    print(template(kind), end="")


def publish(
    folder: Folder,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="withdraw what is gone from the folder")] = False,
    person: Annotated[
        str | None,
        typer.Option("--as", help="who withdraws, with --withdraw: the id of a Person document", metavar="PERSON"),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="your Ed25519 private key, to sign a withdrawal; needed when your Person has keys"),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
    as_json: AsJson = False,
) -> None:
    """Publish the documents below a folder, so that every stage judges by them from now on.

    What is not signed by all who must is told, or refused where SEAMWATCH_SIGNED is `required`.
    Nothing is published when any document has an error, a channel that nobody can be paged by, or another text than was
    published under the same version of a contract. What is gone from the folder is told and stays in force, unless
    --withdraw asks for it to be withdrawn: look first at what is told without. Name yourself with --as: the parties
    are told who withdrew, and it is put on record.

    Example: seamwatch contracts publish contracts/
    """
    from bus.documents import ContractsFollower
    from bus.documents import publish as publish_loaded
    from console.reach import reach
    from console.reachable import check_reachable
    from seamwatch.documents.loading import load
    from seamwatch.errors import UsageError
    from seamwatch.log import configure
    from seamwatch.settings import load_settings

    if not withdraw and (person is not None or key is not None):
        raise UsageError("--as and --key say who withdraws: they belong to --withdraw")
    if person is None and key is not None:
        raise UsageError("--key signs for a person: say who with --as PERSON")
    settings = load_settings()
    configure(settings.model_copy(update={"log_level": "warning"}))  # standard output says what was published
    system = reach(data)
    loaded = load(folder, forks=True)
    check_reachable(loaded.reads, folder, settings.default_owner)
    follower = ContractsFollower(system.kafka, system.prefix, required=settings.follows_signed_only)
    try:
        by = None if person is None else _withdrawer(follower.estate, person, key)
        signed = settings.follows_signed_only
        done = publish_loaded(follower, loaded, settings.clock(), withdraw=withdraw, by=by, signed=signed)
    finally:
        follower.close()
    if as_json:
        print(json.dumps(asdict(done)))
        return
    for what, keys in asdict(done).items():
        for key in keys if what not in ("same", "unsigned") else ():
            print(f"{what:<10} {key}")
    print(f"{_count(len(done.same), 'document')} unchanged")
    for name in done.unsigned:
        print(f"warning: published, and not signed by all who must: {name}")
    if done.withdrawn and by is None:
        print("note: it is not said by whom; --as PERSON says so, to the parties and on the record")
    if done.gone:
        print(f"note: {_count(len(done.gone), 'document')} gone from {folder}, in force still; --withdraw ends that")


def _withdrawer(estate: Estate, person: str, key: Path | None) -> Withdrawer:
    """Who withdraws. Raises UsageError for somebody who is not published, or whose key is needed and not given."""
    from console.signing import demand_key, sign_as
    from seamwatch.documents.withdrawing import Withdrawer
    from statements.persons import keys_of

    persons = estate.persons
    keys = keys_of(person, {name: {one.public: one.key_id for one in persons[name].keys} for name in persons})
    demand_key(person, keys, key)
    return Withdrawer(person, None if key is None else lambda message: sign_as(message, person, keys, key))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

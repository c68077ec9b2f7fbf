"""`seamwatch gate`: whether a system may be deployed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from console.gate.findings import Deployed, Finding


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(gate)


def gate(
    system: Annotated[str, typer.Argument(help="a system's id", metavar="SYSTEM")],
    contracts: Annotated[Path, typer.Option(help="folder of *.yaml documents", metavar="DIR")],
    version: Annotated[str | None, typer.Option(help="the version to deploy; every declared one, else")] = None,
    config_digest: Annotated[str | None, typer.Option(help="digest of the configuration to deploy")] = None,
    use_case: Annotated[str | None, typer.Option(help="what for; every declared use case, else")] = None,
    manifest: Annotated[
        list[str] | None, typer.Option(help="Kubernetes manifest that deploys it; - for standard input (repeatable)")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="ask no store for open breaches, reviews and published keys")
    ] = False,
    before: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="the state before: keys that are others now are vouched for by those of then"),
    ] = None,
    despite: Annotated[
        list[str] | None, typer.Option(help="id of an open breach that this deployment ends (repeatable)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object")] = False,
    sarif: Annotated[Path | None, typer.Option(help="write the findings here too, as SARIF 2.1.0")] = None,
) -> None:
    """Whether a system may be deployed, and everything that stands against it with its remedy. Exit 1 when refused.

    Example: seamwatch gate credit-model --contracts contracts/ --version 2.1 --sarif gate.sarif
    """
    from console.gate.findings import Deployed
    from seamwatch.errors import UsageError

    if config_digest is not None and version is None:
        raise UsageError("--config-digest belongs to a version: give --version as well")
    asked = Deployed(version, config_digest, use_case)
    findings = _found(system, contracts, asked, manifest or [], data, offline, despite or [], before)
    refused = any(finding.refuses for finding in findings)
    if sarif is not None:
        _write(sarif, findings)
    if as_json:
        lines = [asdict(finding) for finding in findings]
        print(json.dumps({"system": system, "passed": not refused, "findings": lines}, ensure_ascii=False))
    else:
        _print(system, findings)
    raise typer.Exit(refused)


def _found(
    system: str,
    folder: Path,
    asked: Deployed,
    manifest: list[str],
    data: Path | None,
    offline: bool,
    despite: list[str],
    before: Path | None,
) -> list[Finding]:
    from console.gate.agreed import agreed, broken, case_of
    from console.gate.findings import Finding
    from console.gate.history import happened
    from console.gate.keys import other_keys
    from console.gate.manifests import deployments
    from seamwatch.documents.loading import read_folder
    from seamwatch.documents.vouching import before_below
    from seamwatch.settings import load_settings
    from seamwatch.wire.schemas import nearest

    reads, problems = read_folder(folder, forks=True)
    case = case_of(system, reads, load_settings().clock().now())
    if case is None:
        known = tuple(sorted(read.id for read in reads if read.kind == "System" and read.id is not None))
        reason = f"no System document below {folder} declares {system!r}{nearest(system, known)}"
        first = reads[0].written.file if reads else str(folder)
        remedy = "declare it, with an owner (`seamwatch contracts new system`)"
        return [*broken(problems, reads), Finding("undeclared", "error", reason, remedy, first, 1)]
    deployed, findings = deployments(case, manifest)
    # What the command line says goes for manifests that do not say it.
    deployed = [
        replace(d, version=d.version or asked.version, config_digest=d.config_digest or asked.config_digest,
                use_case=d.use_case or asked.use_case)
        for d in deployed
    ]  # fmt: skip
    if asked.version is not None or not deployed:
        deployed.append(asked)
    findings += [
        *agreed(case, problems, deployed), *happened(case, deployed, data=data, offline=offline, despite=despite),
    ]  # fmt: skip
    if before is not None:
        findings += other_keys(case, before_below(before).persons)
    source = (case.read.written.file, case.read.written.line(("id",)))
    placed = [f if f.file != "-" else replace(f, file=source[0], line=source[1]) for f in findings]
    return sorted(dict.fromkeys(placed), key=lambda f: (not f.refuses, f.file, f.line))


def _write(file: Path, findings: list[Finding]) -> None:
    from console.gate.sarif import sarif
    from seamwatch.errors import UsageError

    try:
        file.write_text(sarif(findings, Path.cwd()), "utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror}") from None


def _print(system: str, findings: list[Finding]) -> None:
    for finding in findings:
        print(f"{'REFUSED' if finding.refuses else 'warning'}  {finding.rule}  {finding.file}:{finding.line}")
        print(f"         {finding.reason}")
        print(f"         remedy: {finding.remedy}")
    refused = sum(finding.refuses for finding in findings)
    from console.naming import counted

    warned = len(findings) - refused
    noted = f", {counted(warned, 'warning')}" if warned else ""
    said = f"may not be deployed: {counted(refused, 'refusal')}" if refused else "may be deployed"
    print(f"{system} {said}{noted}")

"""What doctor says of rotas: of those that would reach nobody, and of those by which nobody is paged."""

from __future__ import annotations

from console.rota_findings import rota_findings
from seamwatch.documents import Contract, Estate
from seamwatch.documents.estate import Term
from sinks.store.questions.rotas import NO_DOCUMENT
from tests.sinks.store.questions.test_rotas import ANN, AT, BOB, DAN, LISTED, estate


def test_doctor_tells_of_each_rota_what_would_reach_nobody() -> None:
    listed = LISTED | {"escalation": [{"rota": "credit"}, {"rota": "desk"}]}

    def found(**lacking: tuple[str, ...]) -> list[tuple[str, str]]:
        world = estate(**lacking)
        world = Estate(world.persons, rotas=world.rotas, terms=(Term(Contract.model_validate(listed)),))
        return [(one.verdict, one.found) for one in rota_findings(world, AT)]

    (fine,) = found()
    assert fine[0] == "ok"
    assert fine[1].startswith(f"on call now by credit: {DAN}, until Thu 2026-03-12 08:00 CET; by desk: {ANN}, until")
    assert [(verdict, text.partition(":")[0]) for verdict, text in found(without=(ANN,))] == [
        ("problem", "credit"), ("problem", "desk"),
    ]  # fmt: skip
    ((verdict, text),) = found(silent=(BOB,))
    assert verdict == "note"
    assert text.startswith(f"credit: {BOB} may be on call and have no channel")
    missing = [(one.verdict, one.found) for one in rota_findings(estate(), AT)]
    assert missing == [
        ("note", "desk: no list of a contract in force names it, so that nobody is paged by it"),
        ("problem", f"gone, which limits@1 names: {NO_DOCUMENT}"),
    ]
    assert list(rota_findings(Estate(), AT)) == []
